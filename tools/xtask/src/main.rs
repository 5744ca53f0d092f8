//! The project's chores behind one command: `cargo xtask NAME`.
//!
//! Owns the names of the commands and their help; each command is a module of its own. It never
//! ships and deliberately does nothing that the project's documents do not name. Status 0: all is
//! well; 1: a check failed, its findings are printed; 2: the command line was not understood; 3: a promise could
//! not be shown here.

#[cfg(test)]
mod scratch;

mod bench;
mod check;
mod clippy;
mod command;
mod compliance;
mod coverage;
mod covers;
mod finding;
mod fmt;
mod project;
mod promise;
mod requirements;
mod rust;
mod sim;
mod steps;
mod test;
mod tidy;
mod tree;
mod workspace;

use std::process::ExitCode;

use compliance::Output;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(chore) = Chore::read(&args) else {
        eprintln!("xtask: `{}` is not understood\n\n{HELP}", args.join(" "));
        return ExitCode::from(2);
    };
    match chore.run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Chore {
    Help,
    Tidy,
    Compliance(Output),
    Fmt { check_only: bool },
    Clippy,
    Test,
    Check,
    Bench(Vec<String>),
    Sim(Vec<String>),
    Promise(Vec<String>),
    Coverage,
}

impl Chore {
    fn read(args: &[String]) -> Option<Self> {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        Some(match words[..] {
            [] | ["help" | "--help" | "-h"] => Self::Help,
            ["tidy"] => Self::Tidy,
            ["compliance"] => Self::Compliance(Output::Write),
            ["compliance", "--check"] => Self::Compliance(Output::Check),
            ["compliance", "--json"] => Self::Compliance(Output::Json),
            ["fmt"] => Self::Fmt { check_only: false },
            ["fmt", "--check"] => Self::Fmt { check_only: true },
            ["clippy"] => Self::Clippy,
            ["test"] => Self::Test,
            ["check"] => Self::Check,
            ["coverage"] => Self::Coverage,
            ["bench", ..] => Self::Bench(args[1..].to_vec()),
            ["sim", ..] => Self::Sim(args[1..].to_vec()),
            ["promise", ..] => Self::Promise(args[1..].to_vec()),
            _ => return None,
        })
    }

    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Help => println!("{HELP}"),
            Self::Tidy => tidy::run()?,
            Self::Compliance(output) => compliance::run(output)?,
            Self::Fmt { check_only } => fmt::run(check_only)?,
            Self::Clippy => clippy::run()?,
            Self::Test => test::run()?,
            Self::Check => check::run()?,
            Self::Coverage => coverage::run()?,
            Self::Bench(args) => bench::run(&args)?,
            Self::Sim(args) => sim::run(&args)?,
            Self::Promise(args) => return promise::run(&args),
        }
        Ok(ExitCode::SUCCESS)
    }
}

const HELP: &str = "\
The project's chores. Use: cargo xtask COMMAND

  check                 before each commit: formatting, clippy, tidy, unit tests of the core
  test                  before each push: formatting, clippy, tidy, every test
  fmt [--check]         formats the code, or only says what is not formatted
  clippy                every lint, in all targets, as an error
  tidy                  the project's own rules (STYLE.md lists them)
  compliance            writes docs/compliance.md: which requirement is covered by what
  compliance --check    fails if docs/compliance.md is stale
  compliance --json     prints covered and total of every document and kind
  bench [--json] [NAME] runs the benchmarks, or the one row of that name
  sim                   simulates the kept seeds and 100 that belong to the commit
  sim --seed N          simulates a seed, exactly as before
  sim [--seed N] --runs N  so many seeds
  promise [ROW..] [--full]
                        shows what the exchange promises, in figures (docs/promises.md)
  coverage              runs the tests and prints which share of the lines they run

Examples:
  cargo xtask bench book          one row
  cargo xtask sim --seed 7        repeats a run that failed
  cargo xtask compliance --json   for a program to read";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Chore> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Chore::read(&args)
    }

    #[test]
    fn every_command_of_the_help_is_understood() {
        let commands = [
            "check",
            "test",
            "fmt",
            "clippy",
            "tidy",
            "compliance",
            "bench",
            "sim",
            "promise",
            "coverage",
        ];
        for command in commands {
            assert!(HELP.contains(&format!("\n  {command}")), "{command} has no help");
            assert!(read(command).is_some(), "{command} is not understood");
        }
        assert_eq!(read("compliance --json"), Some(Chore::Compliance(Output::Json)));
        let args = vec!["--json".to_owned(), "book".to_owned()];
        assert_eq!(read("bench --json book"), Some(Chore::Bench(args)));
        let args = vec!["--seed".to_owned(), "7".to_owned()];
        assert_eq!(read("sim --seed 7"), Some(Chore::Sim(args)));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in ["fly", "tidy --fast", "compliance --chek", "fmt --check now"] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
