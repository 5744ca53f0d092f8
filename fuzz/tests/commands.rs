//! The codec of commands: bytes are refused or read, and what is read has these very bytes.

use fuzz::{Tape, mutate, run};
use schema::{decode_command, encode_command};

#[test]
fn command_bytes_are_refused_or_canonical() {
    let venues = Tape::corpus(40, 600);
    let corpus: Vec<Vec<u8>> = venues.into_iter().flat_map(|venue| venue.commands).collect();
    let (mut read, mut refused) = (0u64, 0u64);
    run("commands", |rng| {
        let mut bytes = rng.pick(&corpus).expect("there are some").clone();
        let other = rng.pick(&corpus).expect("there are some");
        mutate(rng, &mut bytes, other);
        match decode_command(&bytes, 7) {
            Err(_) => refused += 1,
            Ok(stamped) => {
                let mut again = Vec::new();
                encode_command(&mut again, &stamped);
                assert_eq!(again, bytes, "equal values have equal bytes: {stamped:?}");
                read += 1;
            }
        }
    });
    println!("commands: {read} read, {refused} refused");
}
