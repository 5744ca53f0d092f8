//! The loader of saved state: bytes are refused or loaded, never more, and what is loaded is a sound
//! kernel with these very bytes.

use fuzz::{Tape, Venue, mutate, run};
use kernel::Kernel;

#[test]
fn saved_bytes_are_refused_or_loaded() {
    let venues = Tape::corpus(60, 1_000);
    let saved: Vec<Vec<u8>> = venues.iter().map(|venue| Venue::save(&venue.live)).collect();
    let (mut loaded, mut refused) = (0u64, 0u64);
    run("snapshot", |rng| {
        let mut bytes = rng.pick(&saved).expect("there are some").clone();
        let other = rng.pick(&saved).expect("there are some");
        mutate(rng, &mut bytes, other);
        match Kernel::load(&bytes) {
            Err(_) => refused += 1,
            Ok(kernel) => {
                assert!(Venue::save(&kernel) == bytes, "one state has one encoding");
                Venue::check_kernel(&kernel);
                loaded += 1;
            }
        }
    });
    println!("snapshot: {loaded} loaded, {refused} refused");
}
