//! `cargo xtask promise [ROW..] [--full]`: runs rows of the table of promises and prints their figures.
//!
//! Status 0: every row asked for passed; 1: one failed; 2: the command line was not understood; 3: none
//! failed, and one could not run here, or not as a whole.

use std::process::ExitCode;

use promise::{Report, Row, Size, Verdict, digest, find, run, table};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [command, count] = &args[..]
        && command == "digest"
        && let Ok(count) = count.parse()
    {
        println!("{}", digest(count));
        return ExitCode::SUCCESS;
    }
    let Some((rows, size)) = read(&args) else {
        eprintln!("promise: `{}` is not understood\n{}", args.join(" "), help());
        return ExitCode::from(2);
    };
    let mut reports = Vec::new();
    for row in rows {
        let report = run(&row, size);
        println!("{report}\n");
        reports.push(report);
    }
    conclude(&reports)
}

/// The rows asked for, all without a name.
fn read(args: &[String]) -> Option<(Vec<Row>, Size)> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| arg.starts_with('-'));
    let size = match flags[..] {
        [] => Size::Short,
        [flag] if flag == "--full" => Size::Full,
        _ => return None,
    };
    if names.is_empty() {
        return Some((table().to_vec(), size));
    }
    let rows: Option<Vec<Row>> = names.iter().map(|name| find(name)).collect();
    Some((rows?, size))
}

fn help() -> String {
    let rows = table().iter().map(|row| format!("  {:10} {}\n", row.name, row.promise));
    format!("use: cargo xtask promise [ROW..] [--full]\n{}", rows.collect::<String>())
}

fn conclude(reports: &[Report]) -> ExitCode {
    for Report { name, verdict, took, .. } in reports {
        println!("{:>8.1} s  {name:10} {verdict}", took.as_secs_f64());
    }
    let is = |test: fn(&Verdict) -> bool| reports.iter().any(|it| test(&it.verdict));
    if is(|verdict| matches!(verdict, Verdict::Fail(_))) {
        ExitCode::FAILURE
    } else if is(|verdict| !matches!(verdict, Verdict::Pass)) {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    }
}
