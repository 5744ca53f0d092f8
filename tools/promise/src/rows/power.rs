//! Power cuts under load: the file below a mounted file system is copied, and the exchange goes on from
//! the copy alone.
//!
//! The process is stopped while the file is copied, so that the copy is of one moment; nothing is flushed
//! or frozen for it. Then the process is killed, its file system is thrown away, and the copy is mounted
//! (the file system replays its own journal). Whoever had an answer by then had it before the copy began.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use testkit::rng::SplitMix64;

use crate::crowd::Crowd;
use crate::exchange::{Exchange, Home};
use crate::image::Image;
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    if let Some(why) = Image::why_not() {
        return Outcome::not_run(why);
    }
    let rounds = size.pick(4, 100);
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let mut image = Image::make(folder.path(), "image-0", IMAGE_MEBIBYTES).expect("an image");
    // Not the root of the file system, which is not empty.
    let home = Home::with_data(folder.path(), &image.path().join("data"));
    let mut rng = SplitMix64::new(SEED);
    let mut exchange = home.start();
    let mut crowd = Crowd::new(&exchange, &mut rng);
    let mut lost = 0;
    for round in 1..=rounds {
        let moment = Duration::from_millis(rng.between(50, 600));
        let copy = folder.path().join(format!("image-{round}"));
        let since = crowd.trade_until(&mut exchange, &home, moment, |exchange| {
            stop(exchange);
            image.copy(&copy);
            exchange.kill();
        });
        let before = written(image.path());
        image.discard();
        image = Image::mount(folder.path(), copy).expect("a power cut leaves a file system");
        lost += u64::from(written(image.path()) != before);
        exchange = home.start();
        crowd.check(&home, &exchange, &since);
    }
    outcome.done(format!(
        "{rounds} power cuts under load (seed {SEED}) on an image of {IMAGE_MEBIBYTES} MiB, ext4; in {lost} the \
         copy lacked something that had been written"
    ));
    crowd.conclude(&home, exchange, &mut outcome);
    outcome.at_least("copies that differ from what was written, so that the cut was one", lost, 1);
    outcome
}

/// Stops a process with all its threads, wherever they are.
fn stop(exchange: &Exchange) {
    exchange.signal("STOP");
    let tasks = format!("/proc/{}/task", exchange.id());
    let began = Instant::now();
    while !fs::read_dir(&tasks).expect("it is there").all(|task| {
        let task = task.expect("a thread").path();
        state(&task).is_none_or(|state| state == 'T')
    }) {
        assert!(began.elapsed() < STOP_TIME, "a thread does not stop");
        std::thread::yield_now();
    }
}

/// The state of a thread, while there is one: the letter behind the name in brackets.
fn state(task: &Path) -> Option<char> {
    let text = fs::read_to_string(task.join("stat")).ok()?;
    text.rsplit(')').next()?.trim_start().chars().next()
}

/// The names, sizes and contents of the files of the exchange, folded into one number.
fn written(root: &Path) -> u64 {
    let mut all = 0u64;
    let mut folders = vec![root.join("data")];
    while let Some(folder) = folders.pop() {
        let mut names: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file").path()).collect();
        names.sort();
        for path in names {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).expect("readable");
            all = all.rotate_left(5) ^ fold(&bytes) ^ fold(path.to_string_lossy().as_bytes());
        }
    }
    all
}

/// FNV-1a over words of eight bytes.
fn fold(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    words.fold(0xcbf2_9ce4_8422_2325, |sum, word| (sum ^ word).wrapping_mul(0x0100_0000_01b3))
}

const SEED: u64 = 20_261;
/// Room for two segments of each log, the archive and snapshots.
const IMAGE_MEBIBYTES: u64 = 768;
/// A sync in flight is over by then.
const STOP_TIME: Duration = Duration::from_secs(30);
