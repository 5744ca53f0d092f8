//! `kill -9` of the running exchange under load, again and again, at seeded moments.
//!
//! Now and then the start itself is killed first, or both logs are replayed as the kill left them. A killed
//! process leaves its written pages to the operating system, so this finds answers before writes and states
//! that do not replay, not writes that a sync left out: those are the business of `power.rs`.

use std::time::Duration;

use testkit::rng::SplitMix64;

use crate::crowd::Crowd;
use crate::exchange::Home;
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    let rounds = size.pick(8, 200);
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path());
    let mut rng = SplitMix64::new(SEED);
    let mut exchange = home.start();
    let mut crowd = Crowd::new(&exchange, &mut rng);
    let (mut starts_killed, mut replays) = (0, 0);
    for round in 1..=rounds {
        let moment = Duration::from_millis(rng.between(50, 600));
        let since = crowd.trade_until(&mut exchange, &home, moment, |exchange| exchange.kill());
        if round % 5 == 0 {
            assert_eq!(home.verify()["equal"], true, "as the kill left it");
            replays += 1;
        }
        if round % 3 == 0 {
            home.start_and_kill(Duration::from_millis(rng.between(0, 400)));
            starts_killed += 1;
        }
        exchange = home.start();
        crowd.check(&home, &exchange, &since);
    }
    outcome.done(format!(
        "{rounds} kills under load (seed {SEED}), {starts_killed} kills of a start, {replays} replays of both \
         logs as a kill left them"
    ));
    crowd.conclude(&home, exchange, &mut outcome);
    outcome
}

const SEED: u64 = 20_260;
