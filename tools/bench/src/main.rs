//! The `bench` program: `cargo run --release -p bench -- [--json] [NAME]`.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(figures) = bench::answer_probe() {
        for figure in figures {
            println!("{figure}");
        }
        return ExitCode::SUCCESS;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    match bench::cli::run(&args, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::from(2)
        }
    }
}
