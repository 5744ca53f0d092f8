//! The kernel from arbitrary bytes: read as a tape of commands, and as stored commands with bytes
//! changed. It never panics, and every invariant holds.

use fuzz::{Tape, Venue, mutate, run};
use schema::{Command, decode_command};
use units::Timestamp;

#[test]
fn the_kernel_takes_any_bytes() {
    let begun = Venue::begun();
    let mut orders = 0;
    run("kernel", |rng| {
        let mut venue = begun.clone();
        let size = 100 + rng.below(1_500);
        // Fewer different bytes make commands that meet each other more often.
        let mask = *rng.pick(&[0xff, 0x7f, 0x3f, 0xf7]).expect("there are some");
        let tape: Vec<u8> = (0..size).map(|_| rng.next().to_le_bytes()[0] & mask).collect();
        let mut tape = Tape::new(&tape);
        while !tape.is_empty() {
            tape.step(&mut venue);
            if rng.below(16) == 0 {
                stored(rng, &mut venue);
            }
        }
        venue.check();
        orders += venue.orders.len();
    });
    println!("kernel: {orders} orders accepted");
}

/// Runs a stored command of before with some bytes changed, if it still is one.
fn stored(rng: &mut testkit::rng::SplitMix64, venue: &mut Venue) {
    let mut bytes = rng.pick(&venue.commands).expect("there are some").clone();
    let other = rng.pick(&venue.commands).expect("there are some").clone();
    mutate(rng, &mut bytes, &other);
    let sequence = venue.live.position().command_sequence + 1;
    let Ok(mut stamped) = decode_command(&bytes, sequence) else { return };
    // The sequencer's stamps never go back and are of this century (TIME-22, TIME-50).
    stamped.stamp = stamped.stamp.clamp(venue.now, Timestamp(venue.now.0 + 1_000_000_000));
    if matches!(stamped.command, Command::CreateAccount(_)) && venue.accounts.len() > 40 {
        return;
    }
    venue.run_stamped(&stamped);
}
