//! `dex bisect`: the first event at which two runs differ, and what differs in the state behind it.
//!
//! States are compared at command ends by their hash, at the one nearest the middle of what is left, and
//! what is left is halved (D-80): a log of five million events takes at most 24 comparisons, and no event is
//! applied more often than twice. Nothing is written. Read `halving.rs` for the search, `difference.rs` for
//! what is told of two states.

mod difference;
mod digests;
mod halving;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use kernel::Kernel;
use schema::EventGroup;
use serde_json::{Value, json};

use crate::log::Source;
use crate::render::Renderer;
use crate::state::{Groups, apply, one_group, state_hash};
pub(crate) use difference::{Field, differences};
use digests::Digests;
use halving::{Looked, last_that_holds};

/// Find the first event at which two logs, or a log and a list of digests, differ.
///
/// Compares the states of two data folders at command ends, halving what is left, then shows the first event
/// that differs and every field of the state that differs behind its command. With --digests the other side
/// is a list of state hashes by event, as --list writes one. The exchanges must be stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex bisect ./dex-data ./replica                        where two folders part
  dex bisect ./dex-data --list > digests                 the hash of the state, about every 1000 events
  dex bisect ./dex-data --list --every 100 > digests     more of them
  dex bisect ./replica --digests digests                 between which two of them another folder parts
  dex bisect ./dex-data ./replica --json | jq .state     for programs

Status: 0 nothing differs; 1 a folder cannot be read; 2 the command line is wrong; 3 they differ.")]
pub(crate) struct Args {
    /// A data folder.
    data: PathBuf,
    /// The other data folder.
    #[arg(required_unless_present_any = ["digests", "list"])]
    other: Option<PathBuf>,
    /// A list of digests in the place of the other folder.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["other", "list"])]
    digests: Option<PathBuf>,
    /// Print the list of digests of the folder.
    #[arg(long, conflicts_with = "other")]
    list: bool,
    /// Events between two digests of the list, at the least.
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "list")]
    every: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Compares and prints.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let source = Source::open(&args.data)?;
    if args.list {
        digests::list(&source, args.every)?;
        return Ok(ExitCode::SUCCESS);
    }
    let told = match (&args.other, &args.digests) {
        (Some(other), _) => {
            let other = Source::open(other)?;
            two_logs([&source, &other])?
        }
        (None, Some(file)) => log_and_digests(&source, &Digests::read(file)?)?,
        (None, None) => unreachable!("the command line asks for one of them"),
    };
    if args.json {
        println!("{:#}", told.json);
    } else {
        print!("{}", told.text);
    }
    Ok(if told.differs { ExitCode::from(DIFFERS) } else { ExitCode::SUCCESS })
}

/// What was found, in both forms.
struct Told {
    differs: bool,
    text: String,
    json: Value,
}

/// A log and the state at a command end of it.
struct Side<'a> {
    source: &'a Source,
    kernel: Kernel,
}

impl<'a> Side<'a> {
    fn new(source: &'a Source) -> Self {
        Self { source, kernel: Kernel::new() }
    }

    fn position(&self) -> u64 {
        self.kernel.position().event_sequence
    }

    /// The state behind the last command that ends at or before an event.
    fn at(&self, last: u64) -> anyhow::Result<Kernel> {
        let mut kernel = self.kernel.clone();
        let mut groups = Groups::behind(self.source, self.position())?;
        while let Some(bytes) = groups.next_bytes()? {
            let group = one_group(bytes)?;
            if last_of(&group) > last {
                break;
            }
            apply(&mut kernel, &group)?;
        }
        Ok(kernel)
    }

    /// The events of the command behind the state; absent at the end of the log.
    fn next_group(&self) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(Groups::behind(self.source, self.position())?.next_bytes()?.map(<[u8]>::to_vec))
    }
}

fn last_of(group: &EventGroup<'_>) -> u64 {
    group.head.first_sequence + u64::from(group.count) - 1
}

fn two_logs(sources: [&Source; 2]) -> anyhow::Result<Told> {
    let [mut one, mut other] = sources.map(Side::new);
    let end = sources.map(Source::event_end).into_iter().min().unwrap_or_default();
    let mut look = |place: u64| -> anyhow::Result<Looked> {
        let kernels = [one.at(place)?, other.at(place)?];
        let [left, right] = [&kernels[0], &kernels[1]].map(|it| it.position().event_sequence);
        if left.max(right) == one.position() {
            let next = [one.next_group()?, other.next_group()?];
            let mut ends = Vec::new();
            for bytes in next.iter().flatten() {
                ends.push(last_of(&one_group(bytes)?));
            }
            return Ok(Looked::Nowhere { next: ends.into_iter().min().unwrap_or(u64::MAX) });
        }
        if left != right || state_hash(&kernels[0]) != state_hash(&kernels[1]) {
            return Ok(Looked::Differs(left.max(right)));
        }
        [one.kernel, other.kernel] = kernels;
        Ok(Looked::Holds(left))
    };
    let asked = match look(end)? {
        Looked::Holds(_) | Looked::Nowhere { .. } => 1,
        Looked::Differs(place) => 1 + last_that_holds(0..place, look)?.1,
    };
    tell_logs([&one, &other], asked)
}

/// What lies behind the last command end at which both are equal.
fn tell_logs(sides: [&Side<'_>; 2], compared: u32) -> anyhow::Result<Told> {
    let equal = sides[0].position();
    let [one, other] = [sides[0].next_group()?, sides[1].next_group()?];
    if one.is_none() && other.is_none() {
        let text = format!("nothing differs up to event {equal}; {compared} states compared\n");
        let json = json!({"differs": false, "equal_until": equal, "states_compared": compared});
        return Ok(Told { differs: false, text, json });
    }
    let mut renderer = Renderer::new();
    let mut groups = Groups::behind(sides[0].source, 0)?;
    while let Some(bytes) = groups.next_bytes()? {
        let group = one_group(bytes)?;
        if last_of(&group) > equal {
            break;
        }
        renderer.pass(&group)?;
    }
    let event = difference::first_event(&renderer, [one.as_deref(), other.as_deref()])?;
    let mut kernels = sides.map(|side| side.kernel.clone());
    for (kernel, bytes) in kernels.iter_mut().zip([&one, &other]) {
        if let Some(bytes) = bytes {
            apply(kernel, &one_group(bytes)?).context("the command that differs")?;
        }
    }
    let fields = differences(&kernels[0], &kernels[1]);
    let text = difference::text(equal, compared, &event, &fields);
    let json = json!({
        "differs": true,
        "equal_until": equal,
        "states_compared": compared,
        "first_event": event.sequence,
        "events": event.shown,
        "state": fields.iter().map(Field::json).collect::<Vec<_>>(),
    });
    Ok(Told { differs: true, text, json })
}

fn log_and_digests(source: &Source, digests: &Digests) -> anyhow::Result<Told> {
    let mut side = Side::new(source);
    let list = digests.up_to(source.event_end());
    let mut wrong = None;
    let look = |place: u64| -> anyhow::Result<Looked> {
        let (sequence, hash) = list[usize::try_from(place)? - 1];
        let kernel = side.at(sequence)?;
        let is_equal = kernel.position().event_sequence == sequence && state_hash(&kernel) == hash;
        if is_equal {
            side.kernel = kernel;
            return Ok(Looked::Holds(place));
        }
        wrong = Some(sequence);
        Ok(Looked::Differs(place))
    };
    let (_, compared) = last_that_holds(0..list.len() as u64 + 1, look)?;
    let equal = side.position();
    let told = match wrong {
        None => format!("no digest differs up to event {equal}; {compared} states compared\n"),
        Some(first) => format!(
            "equal until event {equal}, different at event {first}; {compared} states compared\n\
             the first event that differs is one of {} to {first}: ask for a closer list (--every)\n",
            equal + 1
        ),
    };
    let json = json!({
        "differs": wrong.is_some(),
        "equal_until": equal,
        "states_compared": compared,
        "different_at": wrong,
    });
    Ok(Told { differs: wrong.is_some(), text: told, json })
}

/// Status of a difference.
const DIFFERS: u8 = 3;
