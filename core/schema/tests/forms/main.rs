//! The stored forms as a whole: every kind of command and event, and the format documents.
//!
//! `commands` and `events` hold the codecs to being inverse and canonical, `groups` the frame around
//! the events, `sizes` the bounds, `documents` the worked examples of `docs/formats`.

mod changes;
mod commands;
mod documents;
mod events;
mod generate;
mod groups;
mod random;
mod sizes;

/// Values that are made of each kind and coded forth and back.
const ROUND_COUNT: usize = 10_000;
/// Of those, how many are cut at every byte and damaged at every byte.
const DAMAGE_COUNT: usize = 40;

/// Every prefix of `bytes`, each judged by `is_error`.
fn cut_everywhere(bytes: &[u8], is_error: impl Fn(&[u8]) -> bool) {
    for size in 0..bytes.len() {
        assert!(is_error(&bytes[..size]), "{size} of {} bytes were taken: {bytes:x?}", bytes.len());
    }
}

/// `bytes` with one byte changed, for every place and several changes; `again` decodes and encodes
/// again, or answers nothing for bytes that it refuses.
fn damage_everywhere(
    bytes: &[u8],
    random: &mut random::Random,
    again: impl Fn(&[u8]) -> Option<Vec<u8>>,
) {
    let mut damaged = bytes.to_vec();
    for place in 0..bytes.len() {
        let any = random.byte();
        for change in [0x01, 0x02, 0x40, 0x80, 0xff, any.max(1)] {
            damaged[place] = bytes[place] ^ change;
            if let Some(encoded) = again(&damaged) {
                assert_eq!(encoded, damaged, "byte {place} ^ {change:#x} has a second form");
            }
        }
        damaged[place] = bytes[place];
    }
}
