//! Changes of bytes: the few kinds that find most faults of readers.

use testkit::rng::SplitMix64;

/// Makes one to six changes; `other` lends pieces.
pub fn mutate(rng: &mut SplitMix64, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=rng.below(6) {
        change(rng, bytes, other);
    }
}

fn change(rng: &mut SplitMix64, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = place(rng, bytes.len() + 1);
    let end = (at + 1 + place(rng, 12)).min(bytes.len());
    let edges = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x10, 0x40];
    let edge = *rng.pick(&edges).expect("there are some");
    match (rng.below(9), bytes.get_mut(at)) {
        (0 | 1, Some(byte)) => *byte ^= 1 << rng.below(8),
        (2, Some(byte)) => *byte = edge,
        (3, Some(byte)) => *byte = byte.wrapping_add(1),
        (4, Some(byte)) => *byte = byte.wrapping_sub(1),
        (5, _) => drop(bytes.drain(at.min(end)..end)),
        (6, _) => bytes.insert(at, edge),
        (7, _) => {
            let from = place(rng, other.len() + 1);
            let size = place(rng, 24).min(other.len() - from);
            let end = (at + size).min(bytes.len());
            bytes.splice(at..end, other[from..from + size].iter().copied());
        }
        (_, _) if rng.below(8) == 0 => bytes.truncate(at),
        (_, _) => bytes[at.min(end)..end].fill(edge),
    }
}

fn place(rng: &mut SplitMix64, count: usize) -> usize {
    usize::try_from(rng.below(count as u64)).expect("below a size")
}
