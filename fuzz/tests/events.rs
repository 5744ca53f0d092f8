//! The codec of event groups: bytes are refused or read, and what is read has these very bytes.

use fuzz::{Tape, mutate, run};
use schema::{EventBuffer, GroupIter};
use units::Timestamp;

#[test]
fn group_bytes_are_refused_or_canonical() {
    let logs: Vec<Vec<u8>> = Tape::corpus(60, 300).into_iter().map(|venue| venue.log).collect();
    let (mut read, mut refused) = (0u64, 0u64);
    run("events", |rng| {
        let mut bytes = rng.pick(&logs).expect("there are some").clone();
        let other = rng.pick(&logs).expect("there are some");
        mutate(rng, &mut bytes, other);
        let mut place = 0;
        for group in GroupIter::new(&bytes) {
            let Ok(group) = group else {
                refused += 1;
                break;
            };
            let size = u32::from_le_bytes(bytes[place..place + 4].try_into().expect("four"));
            let end = place + 8 + usize::try_from(size).expect("it was read");
            let events: Result<Vec<_>, _> = group.events().collect();
            match events {
                Err(_) => refused += 1,
                // A time at the very edge cannot be written, and no log has one.
                Ok(_) if group.head.first_timestamp == Timestamp(i64::MIN) => refused += 1,
                Ok(events) => {
                    let mut again = EventBuffer::new();
                    again.begin(&group.head);
                    for (head, event) in &events {
                        again.push(event.kind(), *head, event);
                    }
                    again.end();
                    assert_eq!(again.bytes(), &bytes[place..end], "{:?} {events:?}", group.head);
                    read += 1;
                }
            }
            place = end;
        }
    });
    println!("events: {read} groups read, {refused} refused");
}
