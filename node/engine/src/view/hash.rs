//! The state hash of D-50 and DET-46: which state a kernel has, in 32 bytes.
//!
//! An *entity hash* is SHA-256 over the entity's canonical bytes (kind, id, encoding). For each kind, in
//! the order of their numbers, the state hash takes the number of its entities (8 bytes, least first)
//! and the sum of their hashes modulo 2^256, each read with its least byte first (32 bytes); over all
//! of that, SHA-256. Order plays no part, so a change of one entity is one subtraction and one
//! addition: `StateHash` keeps the sums up and hashes what changed in a window once (DET-47), and
//! `hash_from_nothing` must give the same.
//!
//! Known cost: the hash of every entity is kept, 32 bytes and its key, so that it can be taken out
//! again; the kernel does not tell what an entity was before it changed.

use kernel::{Entity, Kernel, Watch};
use sha2::{Digest, Sha256};

use super::fast::FastMap;

/// A state hash that is kept up.
#[derive(Debug, Default)]
pub(crate) struct StateHash {
    sums: [KindSum; Entity::KIND_COUNT],
    hashes: FastMap<Entity, [u8; 32]>,
    buffer: Vec<u8>,
}

/// What is known of one kind: how many, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct KindSum {
    count: u64,
    sum: [u64; 4],
}

impl StateHash {
    /// Takes in an entity that changed, came or went.
    pub(crate) fn update<W: Watch>(&mut self, kernel: &Kernel<W>, entity: Entity) {
        let kind = &mut self.sums[kind_of(entity)];
        self.buffer.clear();
        if kernel.encode_entity(entity, &mut self.buffer) {
            let hash: [u8; 32] = Sha256::digest(&self.buffer).into();
            kind.add(&hash);
            if let Some(old) = self.hashes.insert(entity, hash) {
                kind.remove(&old);
            }
        } else if let Some(old) = self.hashes.remove(&entity) {
            kind.remove(&old);
        }
    }

    /// The hash of a whole kernel, to be kept up from now on.
    pub(crate) fn of<W: Watch>(kernel: &Kernel<W>) -> Self {
        let mut hash = Self::default();
        kernel.entities().for_each(|entity| hash.update(kernel, entity));
        hash
    }

    /// The hash of the state after the last update.
    pub(crate) fn value(&self) -> [u8; 32] {
        digest(&self.sums)
    }
}

/// The hash of a kernel's state, computed from every entity.
pub fn hash_from_nothing<W: Watch>(kernel: &Kernel<W>) -> [u8; 32] {
    let mut sums = [KindSum::default(); Entity::KIND_COUNT];
    let mut buffer = Vec::new();
    for entity in kernel.entities() {
        buffer.clear();
        let exists = kernel.encode_entity(entity, &mut buffer);
        assert!(exists, "an entity that is listed exists");
        sums[kind_of(entity)].add(&Sha256::digest(&buffer).into());
    }
    digest(&sums)
}

fn digest(sums: &[KindSum; Entity::KIND_COUNT]) -> [u8; 32] {
    let mut sha = Sha256::new();
    for kind in sums {
        sha.update(kind.count.to_le_bytes());
        for word in kind.sum {
            sha.update(word.to_le_bytes());
        }
    }
    sha.finalize().into()
}

impl KindSum {
    fn add(&mut self, hash: &[u8; 32]) {
        self.count += 1;
        let mut carry = false;
        for (word, other) in self.sum.iter_mut().zip(words(hash)) {
            let (sum, over) = word.overflowing_add(other);
            let (sum, over_carry) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = over || over_carry;
        }
    }

    fn remove(&mut self, hash: &[u8; 32]) {
        self.count -= 1;
        let mut borrow = false;
        for (word, other) in self.sum.iter_mut().zip(words(hash)) {
            let (rest, under) = word.overflowing_sub(other);
            let (rest, under_borrow) = rest.overflowing_sub(u64::from(borrow));
            *word = rest;
            borrow = under || under_borrow;
        }
    }
}

fn words(hash: &[u8; 32]) -> [u64; 4] {
    std::array::from_fn(|index| {
        let bytes = hash[index * 8..][..8].try_into().expect("eight bytes");
        u64::from_le_bytes(bytes)
    })
}

/// The place of an entity's kind.
fn kind_of(entity: Entity) -> usize {
    usize::from(entity.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_borrow_and_wrap() {
        let (ones, mut one) = ([0xff; 32], [0; 32]);
        one[0] = 1;
        let mut sum = KindSum::default();
        sum.add(&ones);
        sum.add(&one);
        assert_eq!(sum, KindSum { count: 2, sum: [0; 4] });
        sum.remove(&one);
        assert_eq!(sum, KindSum { count: 1, sum: [u64::MAX; 4] });
        sum.remove(&ones);
        assert_eq!(sum, KindSum::default());
    }
}
