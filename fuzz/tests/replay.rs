//! Logs with bytes changed: they are refused, or a broken invariant stops the kernel, or they apply and
//! money is conserved.

use fuzz::{Tape, Venue, mutate, panics, run};
use kernel::Kernel;
use schema::GroupIter;

#[test]
fn a_changed_log_never_makes_money() {
    let begun = Venue::begun();
    // What came after the beginning, and the beginning itself.
    let tail = |venue: Venue| venue.log[begun.log.len()..].to_vec();
    let logs: Vec<Vec<u8>> = Tape::corpus(80, 500).into_iter().map(tail).collect();
    let (mut applied, mut refused, mut stopped) = (0u64, 0u64, 0u64);
    run("replay", |rng| {
        // Now and then from nothing, with the listings changed.
        let (mut kernel, base) = match rng.below(4) {
            0 => (Kernel::new(), &begun.log),
            _ => (begun.replayed.clone(), rng.pick(&logs).expect("there are some")),
        };
        let mut bytes = base.clone();
        let other = rng.pick(&logs).expect("there are some");
        mutate(rng, &mut bytes, other);
        for group in GroupIter::new(&bytes) {
            let Ok(group) = group else {
                refused += 1;
                return;
            };
            match panics(|| kernel.apply_group(&group)) {
                Some(Ok(())) => {}
                Some(Err(_)) => {
                    refused += 1;
                    return;
                }
                None => {
                    stopped += 1;
                    return;
                }
            }
        }
        Venue::check_kernel(&kernel);
        applied += 1;
    });
    println!("replay: {applied} applied, {refused} refused, {stopped} stopped");
}
