//! The state hash of D-50, kept up entity by entity as a log is applied.
//!
//! Written apart from the node's own on purpose, like `state::state_hash`, of which a test makes sure that
//! it is the same.

use std::collections::{BTreeSet, HashMap};

use kernel::{Entity, Kernel, Watch};
use sha2::{Digest as _, Sha256};

/// What was touched since it was taken last.
#[derive(Clone, Debug, Default)]
pub(super) struct Changed {
    all: BTreeSet<Entity>,
    /// The last one, for whoever asks where a kernel stopped.
    last: Option<Entity>,
}

impl Watch for Changed {
    fn touched(&mut self, entity: Entity) {
        self.all.insert(entity);
        self.last = Some(entity);
    }
}

impl Changed {
    /// The entity that was touched last.
    pub(super) const fn last(&self) -> Option<Entity> {
        self.last
    }
}

/// The sums behind the hash, and what each entity added to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    counts: [u64; Entity::KIND_COUNT],
    sums: [[u8; 32]; Entity::KIND_COUNT],
    parts: HashMap<Entity, [u8; 32]>,
}

impl Sums {
    /// Those of a state, from nothing.
    pub(super) fn of(kernel: &mut Kernel<Changed>) -> Self {
        let all: Vec<Entity> = kernel.entities().collect();
        kernel.watch_mut().all.extend(all);
        let mut sums = Self::default();
        sums.hash(kernel);
        sums
    }

    /// The hash, behind what was touched since the last time.
    pub(super) fn hash(&mut self, kernel: &mut Kernel<Changed>) -> [u8; 32] {
        let changed = std::mem::take(&mut kernel.watch_mut().all);
        let mut bytes = Vec::new();
        for entity in changed {
            bytes.clear();
            let kind = usize::from(entity.kind());
            let is_there = kernel.encode_entity(entity, &mut bytes);
            let part: Option<[u8; 32]> = is_there.then(|| Sha256::digest(&bytes).into());
            let before = match part {
                Some(part) => self.parts.insert(entity, part),
                None => self.parts.remove(&entity),
            };
            if let Some(before) = before {
                self.counts[kind] -= 1;
                add(&mut self.sums[kind], &negative(before));
            }
            if let Some(part) = part {
                self.counts[kind] += 1;
                add(&mut self.sums[kind], &part);
            }
        }
        let mut sha = Sha256::new();
        for (count, sum) in self.counts.iter().zip(&self.sums) {
            sha.update(count.to_le_bytes());
            sha.update(sum);
        }
        sha.finalize().into()
    }
}

/// Adds a number of 256 bits, least byte first; what is carried out of it is dropped.
fn add(sum: &mut [u8; 32], other: &[u8; 32]) {
    let mut carry = 0u16;
    for (byte, other) in sum.iter_mut().zip(other) {
        let [low, high] = (u16::from(*byte) + u16::from(*other) + carry).to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
}

/// What taken with a number makes 2^256.
fn negative(mut number: [u8; 32]) -> [u8; 32] {
    for byte in &mut number {
        *byte = !*byte;
    }
    let mut one = [0; 32];
    one[0] = 1;
    add(&mut number, &one);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_negative_are_nothing() {
        for number in [[0; 32], [0xff; 32], [0x80; 32], [7; 32]] {
            let mut sum = number;
            add(&mut sum, &negative(number));
            assert_eq!(sum, [0; 32]);
        }
    }
}
