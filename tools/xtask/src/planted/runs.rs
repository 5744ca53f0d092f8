//! Building the copy, and running its simulator once for each defect.
//!
//! Owns what counts as killed: a run that ends with a broken promise or a panic that the simulator tells of, or a
//! simulator that is ended by the system. One that does not come to its end in time is not killed: a hang is no
//! finding. Several run beside each other, each in a process and a thread of its own.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::copy;
use super::list::Defect;
use super::plant::Place;
use crate::command;

/// The simulator with all defects in it.
pub(super) struct Built {
    program: PathBuf,
    /// Where it is run: its seeds follow from the commit there.
    root: PathBuf,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A seed failed; what the simulator said of it.
    Killed { seed: String, what: String },
    /// Every seed passed.
    Survived,
    /// It did not come to an end.
    Stuck,
}

impl End {
    /// As it is printed.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Killed { seed, what } => format!("killed by seed {seed}: {what}"),
            Self::Survived => "every seed passed".to_owned(),
            Self::Stuck => format!("no end within {} s", TIME_MAX.as_secs()),
        }
    }
}

impl Built {
    /// Builds the simulator of the copy in `folder`.
    pub(super) fn make(root: &Path, folder: &Path, places: &[Place]) -> anyhow::Result<Self> {
        let (tree, target) = (copy::place(folder), folder.join("build"));
        let mut call = Command::new(command::cargo());
        call.args(["build", "--release", "--quiet", "--package", "sim"]);
        call.args(["--message-format", "short"]);
        call.env("CARGO_TARGET_DIR", &target);
        // Built often and run for a minute: what makes it a little faster is not worth its time.
        call.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        let output = call.current_dir(&tree).output().context("cargo cannot be started")?;
        if !output.status.success() {
            bail!("{}", build_fault(&String::from_utf8_lossy(&output.stderr), places));
        }
        Ok(Self { program: target.join("release/sim"), root: root.to_path_buf() })
    }

    /// Runs it with a defect, or with none; until a seed fails, or for so many.
    pub(super) fn run(&self, defect: Option<&Defect>, runs: u64) -> anyhow::Result<End> {
        let mut call = Command::new(&self.program);
        call.args(["--fresh", "--until-failure", "--no-shrink", "--runs", &runs.to_string()]);
        if let Some(defect) = defect {
            call.env("PLANTED", &defect.name).args(["--threads", "1"]);
        } else {
            call.env_remove("PLANTED");
        }
        let call = call.current_dir(&self.root).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = call.spawn().context("the simulator of the copy cannot be started")?;
        let said = read_aside(&mut child)?;
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if began.elapsed() > TIME_MAX {
                child.kill()?;
                child.wait()?;
                return Ok(End::Stuck);
            }
            std::thread::sleep(POLL_INTERVAL);
        };
        let said = said.recv().context("the simulator's output")?;
        end_of(status.code(), &said)
    }
}

/// Runs the simulator with each defect and prints what came of it; how many were killed.
pub(super) fn run_all(built: &Built, all: &[&Defect], runs: u64) -> anyhow::Result<usize> {
    let width = all.iter().map(|defect| defect.name.len()).max().unwrap_or(0);
    let next = AtomicUsize::new(0);
    let done: Mutex<anyhow::Result<usize>> = Mutex::new(Ok(0));
    let work = || {
        while let Some(defect) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            let end = built.run(Some(defect), runs);
            let mut done = done.lock().expect("no panic");
            match (end, &mut *done) {
                (Ok(end), Ok(killed)) => {
                    *killed += usize::from(matches!(end, End::Killed { .. }));
                    println!("{:width$}  {}", defect.name, told_of(&end, defect));
                }
                (Err(fault), done) => *done = Err(fault.context(defect.name.clone())),
                (Ok(_), Err(_)) => return,
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(all.len()) {
            scope.spawn(work);
        }
    });
    done.into_inner().expect("no panic")
}

fn told_of(end: &End, defect: &Defect) -> String {
    match end {
        End::Survived => format!("SURVIVED: {}", defect.breaks),
        end => end.told(),
    }
}

/// Reads what a program prints while somebody else waits for its end.
fn read_aside(child: &mut Child) -> anyhow::Result<mpsc::Receiver<String>> {
    let mut output = child.stdout.take().context("the output is piped")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What cannot be read is a run that says nothing, which is an error above.
        let _ = output.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    Ok(receiver)
}

/// What a run came to, from its status and what it printed.
fn end_of(status: Option<i32>, said: &str) -> anyhow::Result<End> {
    let failed = said.lines().find_map(|line| line.strip_prefix("seed ")?.split_once(" fails: "));
    match (status, failed) {
        (Some(0), None) => Ok(End::Survived),
        (Some(1), Some((seed, what))) => {
            let (seed, what) = (seed.to_owned(), shortened(what));
            Ok(End::Killed { seed, what })
        }
        (None, _) => {
            let (seed, what) = ("?".to_owned(), "the system ended the simulator".to_owned());
            Ok(End::Killed { seed, what })
        }
        _ => bail!("the simulator ended with {status:?} and said: {said}"),
    }
}

/// A violation in a line.
fn shortened(what: &str) -> String {
    if what.chars().count() <= WHAT_SIZE_MAX {
        return what.to_owned();
    }
    what.chars().take(WHAT_SIZE_MAX).chain("…".chars()).collect()
}

/// Why the copy does not build: which defects have an error in their lines.
fn build_fault(said: &str, places: &[Place]) -> String {
    let mut faults = Vec::new();
    for line in said.lines() {
        let mut parts = line.splitn(4, ':');
        let (Some(file), Some(at), Some(_), Some(what)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let Ok(at) = at.parse::<usize>() else { continue };
        let here = places.iter().filter(|it| it.file == file && it.lines.contains(&at));
        faults.extend(here.map(|it| format!("the defect {} does not build:{what}", it.name)));
    }
    if faults.is_empty() {
        return format!("the copy does not build: {said}");
    }
    faults.join("\n")
}

/// Longer than any budget of seeds takes.
const TIME_MAX: Duration = Duration::from_secs(1_800);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Letters of a violation that are shown.
const WHAT_SIZE_MAX: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_killed_by_a_seed_that_fails_and_by_nothing_else() {
        assert_eq!(end_of(Some(0), "3 seeds").expect("ended"), End::Survived);
        let said = "commit x\nseed 7 fails: act 3: it fails: badly\nthe last events:\n";
        let End::Killed { seed, what } = end_of(Some(1), said).expect("ended") else {
            panic!("killed")
        };
        assert_eq!((&*seed, &*what), ("7", "act 3: it fails: badly"));
        assert!(matches!(end_of(None, "").expect("ended"), End::Killed { .. }));
        for (status, said) in [(Some(1), "nothing"), (Some(2), said), (Some(0), said)] {
            assert!(end_of(status, said).is_err(), "{status:?} {said}");
        }
    }

    #[test]
    fn a_build_that_fails_names_the_defect() {
        let place = |name: &str, lines| {
            let (name, file) = (name.to_owned(), "core/a/src/b.rs".to_owned());
            Place { name, file, lines }
        };
        let places = [place("one", 3..5), place("two", 7..8)];
        let said = "core/a/src/b.rs:4:9: error[E0308]: mismatched types: x\nerror: no\n";
        let fault = build_fault(said, &places);
        assert_eq!(fault, "the defect one does not build: error[E0308]: mismatched types: x");
        assert!(build_fault("core/a/src/b.rs:1:1: error", &places).starts_with("the copy"));
    }
}
