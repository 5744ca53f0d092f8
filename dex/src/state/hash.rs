//! The state hash of D-50 and DET-46, computed from nothing.
//!
//! Per entity SHA-256 over its canonical bytes; per kind of entity their number and the sum of their
//! hashes modulo 2^256; over all kinds SHA-256. Written apart from the node's own on purpose: a check
//! that took its figures from the code it checks would prove less.

use kernel::{Entity, Kernel, Watch};
use sha2::{Digest as _, Sha256};

/// The hash of a kernel's state.
pub(crate) fn state_hash<W: Watch>(kernel: &Kernel<W>) -> [u8; 32] {
    let mut counts = [0u64; Entity::KIND_COUNT];
    let mut sums = [[0u8; 32]; Entity::KIND_COUNT];
    let mut bytes = Vec::new();
    for entity in kernel.entities() {
        bytes.clear();
        if kernel.encode_entity(entity, &mut bytes) {
            let kind = usize::from(entity.kind());
            counts[kind] += 1;
            add(&mut sums[kind], &Sha256::digest(&bytes).into());
        }
    }
    let mut sha = Sha256::new();
    for (count, sum) in counts.iter().zip(&sums) {
        sha.update(count.to_le_bytes());
        sha.update(sum);
    }
    sha.finalize().into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_carries_and_wraps() {
        let mut one = [0; 32];
        one[0] = 1;
        let mut sum = [0xff; 32];
        add(&mut sum, &one);
        assert_eq!(sum, [0; 32]);
        let mut sum = [0; 32];
        sum[0] = 0xff;
        add(&mut sum, &one);
        assert_eq!((sum[0], sum[1]), (0, 1));
    }
}
