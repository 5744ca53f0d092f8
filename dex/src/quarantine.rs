//! `dex quarantine`: people leave a command out that breaks an invariant (D-49, D-109).
//!
//! A shard that stopped at such a command meets it again at every start. This puts a record behind it, signed
//! with the operator's key, that names the command; the next start executes everything else, puts the violation
//! and the halt on record in its place and takes no orders until the markets are resumed. Only the command at
//! which the log really stops is left out; a log that replays whole is not touched.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use engine::{Clock as _, ReplayFault, Storage, SystemClock, VerifyFault};
use gateway::OperatorSigner as _;
use journal::{DataFolder, SegmentOptions};
use schema::{Command, Key, Label, Operator, Quarantine};
use sha2::{Digest as _, Sha256};

use crate::keys::{Missing, OperatorKey};
use crate::log::check_folder;

/// Leave a command out that breaks an invariant, and halt trading in its place.
///
/// For the folder of an exchange that stopped at a command and meets it again at every start. The command must
/// be the one at which the log stops. What it would have done is not done; InvariantViolated, TradingHalted and
/// MarketPaused of each market go on record in its place. Cancels and withdrawals go on; a market takes orders
/// again when it is resumed (`dex admin`). The exchange must be stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex verify ./dex-data                                        says at which command the log stops
  dex quarantine ./dex-data --command 48211 --actor carol      leave that command out
  dex run --data ./dex-data                                    comes up with all markets paused

Status: 0 the command is left out and the log replays; 1 it cannot be, and nothing was changed; 2 the command
line is wrong; 3 it is left out, and the log stops again further on.")]
pub(crate) struct Args {
    /// The data folder.
    data: PathBuf,
    /// Number of the command.
    #[arg(long, value_name = "N")]
    command: u64,
    /// Who decided it, for the record.
    #[arg(long, value_name = "NAME", default_value = "operator")]
    actor: String,
}

/// Checks, writes the record and checks again.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    check_folder(&args.data)?;
    let Ok(actor) = Label::new(&args.actor) else { bail!("--actor has at most 64 characters") };
    let Some((stopped, message)) = stops_at(&args.data)? else {
        bail!("the log replays whole: there is no command to leave out, and nothing was changed");
    };
    if stopped != args.command {
        let asked = args.command;
        bail!("the log stops at command {stopped}, not at {asked}; nothing was changed: {message}");
    }
    let number = write(&args.data, violation(stopped, &message, actor))?;
    println!("command {stopped} is left out by command {number}: {message}");
    Ok(match stops_at(&args.data)? {
        None => {
            println!("The log replays. Every market is paused there; people resume them.");
            ExitCode::SUCCESS
        }
        Some((again, message)) => {
            println!("The log stops again, at command {again}: {message}");
            ExitCode::from(STOPS_AGAIN)
        }
    })
}

/// The command at which the core stops, and what it says.
fn stops_at(data: &Path) -> anyhow::Result<Option<(u64, String)>> {
    match engine::verify(data, &mut |_| {}) {
        Ok(_) => Ok(None),
        Err(VerifyFault::Replay(ReplayFault::Invariant { sequence, message })) => {
            Ok(Some((sequence, message)))
        }
        Err(fault) => Err(fault).context("the log is wrong otherwise; nothing was changed"),
    }
}

fn write(data: &Path, what: Quarantine) -> anyhow::Result<u64> {
    let folder = DataFolder::open(data)?;
    let operator = OperatorKey::load(&folder.keys(), Missing::Refuse)?;
    let mut storage = Storage::open(folder, SegmentOptions::default())?;
    let unsigned = Operator { valid_until: units::Timestamp(0), signature: [0; 64] };
    let body = Command::Quarantine(what, unsigned).body();
    let key = format!("quarantine of command {}", what.command);
    let hashes = [half(key.as_bytes()), half(&body)];
    let wall = SystemClock::new().wall().context("the clock of this machine cannot be read")?;
    let now = units::Timestamp(wall);
    let sign = |key: &Key, valid_until, command: &Command| Operator {
        valid_until,
        signature: operator.sign(key, valid_until, command),
    };
    Ok(engine::quarantine(&mut *storage.commands, what, (hashes, now), &sign)?)
}

/// The first half of a SHA-256 (D-87).
fn half(bytes: &[u8]) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

/// What a failed assertion says, in the fields of InvariantViolated.
fn violation(command: u64, message: &str, actor: Label) -> Quarantine {
    let side = |name: &str| {
        let found = message.lines().find_map(|line| line.trim_start().strip_prefix(name));
        label(found.unwrap_or_default().trim())
    };
    Quarantine {
        command,
        invariant: label(message.lines().next().unwrap_or_default()),
        left: side("left:"),
        right: side("right:"),
        actor,
    }
}

/// As much of a text as a label holds.
fn label(text: &str) -> Label {
    let mut size = text.len().min(LABEL_SIZE);
    while !text.is_char_boundary(size) {
        size -= 1;
    }
    Label::new(&text[..size]).unwrap_or_else(|_| unreachable!("it was cut"))
}

/// Status when the log stops at another command afterwards.
const STOPS_AGAIN: u8 = 3;
/// Bytes of a label at the most.
const LABEL_SIZE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_falls_into_its_parts() {
        let actor = label("carol");
        let message =
            "assertion `left == right` failed: postings sum to zero\n  left: 5\n right: 0";
        let told = violation(7, message, actor);
        assert_eq!(told.invariant.as_str(), &message[..message.find('\n').expect("lines")]);
        assert_eq!((told.left.as_str(), told.right.as_str()), ("5", "0"));
        let told = violation(7, &"é".repeat(40), actor);
        assert_eq!((told.invariant.as_str(), told.left.as_str()), (&*"é".repeat(32), ""));
    }
}
