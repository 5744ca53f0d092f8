//! `dex`: the exchange in one binary. Composition root and command line.
//!
//! Each command is a module with its `Args` and a `run`; a new one is a line in `Command` and a line in
//! `main`. This binary is the only shipped package that knows both the node and the door, and it holds
//! the keys: the door gets a signer, never a key. Read `run.rs` for what is put together.

#![forbid(unsafe_code)]

mod admin;
mod bisect;
mod client;
mod data;
mod demo;
mod explain;
mod figures;
mod flow;
mod keys;
mod log;
mod logging;
mod quarantine;
mod render;
mod replay;
mod run;
mod session;
mod settings;
mod settlement;
mod state;
mod token;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A deterministic crypto exchange in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "dex",
    version,
    after_help = "Examples:\n  \
        dex run --demo                      an exchange with markets and traders to look at\n  \
        dex run --data /srv/dex --log json  an exchange as a service\n  \
        dex token --account ID              a trader's access token\n  \
        dex verify ./dex-data               is everything in the folder as it must be?\n\n\
        `dex help COMMAND` tells more about each."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the exchange: recover its data folder, then answer over HTTP and WebSocket.
    Run(run::Args),
    /// Replay a recorded market and compare its trades and books.
    Flow(flow::Args),
    /// Replay the event log from a moment to a moment, check it and compare what comes of it.
    Replay(replay::Args),
    /// Replay both logs of a data folder and compare them.
    Verify(verify::Args),
    /// Print the commands or the events of a data folder.
    Log(log::Args),
    /// Find the first event at which two logs, or a log and a list of digests, differ.
    Bisect(bisect::Args),
    /// Print balances, open orders and books as they were at a moment.
    State(state::Args),
    /// Tell the life of one order, each step with the rule behind it.
    Explain(explain::Args),
    /// A day of the settlement journal: its rows, its report, its reconciliation.
    Settlement(settlement::Args),
    /// Make an access token for a trader or an operator.
    Token(token::Args),
    /// Change markets, fees and accounts of a running exchange.
    Admin(admin::Args),
    /// Leave a command out that breaks an invariant, and halt trading in its place.
    Quarantine(quarantine::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(args) => run::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Flow(args) => flow::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Log(args) => log::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Bisect(args) => bisect::run(&args),
        Command::State(args) => state::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Explain(args) => explain::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Settlement(args) => settlement::run(&args),
        Command::Token(args) => token::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Admin(args) => admin::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Quarantine(args) => quarantine::run(&args),
    };
    match done {
        Ok(status) => status,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// Names and flags of all commands fit together, and every command teaches.
    #[test]
    fn the_command_line_is_sound() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        for command in command.get_subcommands_mut() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            assert!(command.render_long_help().to_string().contains("Examples:"));
        }
    }
}
