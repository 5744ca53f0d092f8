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

use std::sync::mpsc::sync_channel;
use std::thread;

use kernel::{Entity, Kernel, Watch};
use sha2::{Digest, Sha256};

use super::fast::FastMap;
use crate::joined::shares;

/// A state hash that is kept up.
#[derive(Debug, Default)]
pub(crate) struct StateHash {
    sums: Sums,
    hashes: Hashes,
    buffer: Vec<u8>,
}

type Sums = [KindSum; Entity::KIND_COUNT];

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
        } else if let Some(old) = self.hashes.remove(entity) {
            kind.remove(&old);
        }
    }

    /// The hash of a whole kernel, to be kept up from now on. A large one is hashed by all cores, and one of them
    /// notes the hashes.
    pub(crate) fn of<W: Watch + Sync>(kernel: &Kernel<W>) -> Self {
        let mut hash = Self::default();
        hash.hashes.reserve(kernel);
        let share_count = shares(size_of_state(kernel));
        if share_count == 1 {
            kernel.entities().for_each(|entity| hash.update(kernel, entity));
            return hash;
        }
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(CHUNKS_WAITING_MAX);
            for share in 0..share_count {
                let sender = sender.clone();
                let work = move || {
                    let mut chunk = Vec::with_capacity(CHUNK_COUNT);
                    hash_share(kernel, (share, share_count), |entity, hash| {
                        chunk.push((entity, hash));
                        if chunk.len() == CHUNK_COUNT {
                            let full =
                                std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_COUNT));
                            sender.send(full).expect("the receiver outlives the threads");
                        }
                    });
                    sender.send(chunk).expect("the receiver outlives the threads");
                };
                scope.spawn(work);
            }
            drop(sender);
            for (entity, entity_hash) in receiver.into_iter().flatten() {
                hash.sums[kind_of(entity)].add(&entity_hash);
                hash.hashes.insert(entity, entity_hash);
            }
        });
        hash
    }

    /// The hash of the state after the last update.
    pub(crate) fn value(&self) -> [u8; 32] {
        digest(&self.sums)
    }
}

/// The hash of every entity, kept apart by kind where there are many: a number for a key, or the place in a list.
#[derive(Debug, Default)]
struct Hashes {
    /// By number; accounts stay for ever. Zeros, which is no hash of anything, where one is not noted yet.
    accounts: Vec<[u8; 32]>,
    /// By account and asset.
    balances: FastMap<u64, [u8; 32]>,
    orders: FastMap<u64, [u8; 32]>,
    others: FastMap<Entity, [u8; 32]>,
}

impl Hashes {
    fn reserve<W: Watch>(&mut self, kernel: &Kernel<W>) {
        let accounts = usize::try_from(kernel.account_count()).unwrap_or(usize::MAX);
        self.accounts.reserve(accounts);
        self.balances.reserve(2 * accounts);
        self.orders.reserve(kernel.order_count());
    }

    fn insert(&mut self, entity: Entity, hash: [u8; 32]) -> Option<[u8; 32]> {
        match entity {
            Entity::Account(number) => {
                let at = number as usize;
                if at >= self.accounts.len() {
                    self.accounts.resize(at + 1, [0; 32]);
                }
                let old = std::mem::replace(&mut self.accounts[at], hash);
                (old != [0; 32]).then_some(old)
            }
            Entity::Balance { account, asset } => {
                self.balances.insert(key_of(account, asset), hash)
            }
            Entity::Order(sequence) => self.orders.insert(sequence, hash),
            other => self.others.insert(other, hash),
        }
    }

    fn remove(&mut self, entity: Entity) -> Option<[u8; 32]> {
        match entity {
            Entity::Account(number) => {
                let old = std::mem::take(self.accounts.get_mut(number as usize)?);
                (old != [0; 32]).then_some(old)
            }
            Entity::Balance { account, asset } => self.balances.remove(&key_of(account, asset)),
            Entity::Order(sequence) => self.orders.remove(&sequence),
            other => self.others.remove(&other),
        }
    }
}

fn key_of(account: u32, asset: u32) -> u64 {
    u64::from(account) << 32 | u64::from(asset)
}

/// The hash of a kernel's state, computed from every entity, by all cores if it is large.
pub fn hash_from_nothing<W: Watch + Sync>(kernel: &Kernel<W>) -> [u8; 32] {
    let share_count = shares(size_of_state(kernel));
    if share_count == 1 {
        return digest(&sum_share(kernel, (0, 1)));
    }
    let sums = thread::scope(|scope| {
        let work = |share| scope.spawn(move || sum_share(kernel, (share, share_count)));
        let shares: Vec<_> = (0..share_count).map(work).collect();
        let sums = shares.into_iter().map(|it| it.join().expect("a hash panics over nothing"));
        sums.reduce(|mut all, share| {
            all.iter_mut().zip(&share).for_each(|(sum, other)| sum.add_all(other));
            all
        })
    });
    digest(&sums.unwrap_or_default())
}

/// The hash of two kernels' states, computed from every entity, or `None` if they differ. Each entity is hashed once,
/// and compared byte for byte.
pub(crate) fn hash_of_both<A: Watch + Sync, B: Watch + Sync>(
    one: &Kernel<A>,
    other: &Kernel<B>,
) -> Option<[u8; 32]> {
    let share_count = shares(size_of_state(one));
    let count = || other.entities().count() as u64;
    if share_count == 1 {
        let sums = sum_both((one, other), (0, 1))?;
        return (count() == count_of(&sums)).then(|| digest(&sums));
    }
    thread::scope(|scope| {
        let work = |share| scope.spawn(move || sum_both((one, other), (share, share_count)));
        let shares: Vec<_> = (0..share_count).map(work).collect();
        let counted = count();
        let mut all = Sums::default();
        for share in shares {
            let sums = share.join().expect("a hash panics over nothing")?;
            all.iter_mut().zip(&sums).for_each(|(sum, other)| sum.add_all(other));
        }
        (counted == count_of(&all)).then(|| digest(&all))
    })
}

/// The sums over one of so many shares of the first kernel's entities, if the other one has each of them, too.
fn sum_both<A: Watch, B: Watch>(
    (one, other): (&Kernel<A>, &Kernel<B>),
    (share, count): (usize, usize),
) -> Option<Sums> {
    let mut sums = Sums::default();
    let (mut buffer, mut beside) = (Vec::new(), Vec::new());
    for entity in one.entities().skip(share).step_by(count) {
        buffer.clear();
        beside.clear();
        let exists = one.encode_entity(entity, &mut buffer);
        assert!(exists, "an entity that is listed exists");
        if !other.encode_entity(entity, &mut beside) || buffer != beside {
            return None;
        }
        sums[kind_of(entity)].add(&Sha256::digest(&buffer).into());
    }
    Some(sums)
}

fn count_of(sums: &Sums) -> u64 {
    sums.iter().map(|sum| sum.count).sum()
}

/// The sums over one of so many shares of the entities.
fn sum_share<W: Watch>(kernel: &Kernel<W>, share: (usize, usize)) -> Sums {
    let mut sums = Sums::default();
    hash_share(kernel, share, |entity, hash| sums[kind_of(entity)].add(&hash));
    sums
}

/// Hashes one of so many shares of the entities.
fn hash_share<W: Watch>(
    kernel: &Kernel<W>,
    (share, count): (usize, usize),
    mut each: impl FnMut(Entity, [u8; 32]),
) {
    let mut buffer = Vec::new();
    for entity in kernel.entities().skip(share).step_by(count) {
        buffer.clear();
        let exists = kernel.encode_entity(entity, &mut buffer);
        assert!(exists, "an entity that is listed exists");
        each(entity, Sha256::digest(&buffer).into());
    }
}

/// About how many entities there are.
fn size_of_state<W: Watch>(kernel: &Kernel<W>) -> usize {
    let accounts = usize::try_from(kernel.account_count()).unwrap_or(usize::MAX);
    kernel.order_count() + 3 * accounts
}

fn digest(sums: &Sums) -> [u8; 32] {
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
        self.add_all(&Self { count: 1, sum: words(hash) });
    }

    fn add_all(&mut self, other: &Self) {
        self.count += other.count;
        let mut carry = false;
        for (word, other) in self.sum.iter_mut().zip(other.sum) {
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

/// Hashes that are handed over at once, and how many such chunks may wait.
const CHUNK_COUNT: usize = 4_096;
const CHUNKS_WAITING_MAX: usize = 16;

/// The place of an entity's kind.
fn kind_of(entity: Entity) -> usize {
    usize::from(entity.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{Command, EventBuffer, Stamped};
    use units::Timestamp;

    /// A kernel behind its genesis and so many Ticks, of another epoch each.
    fn kernel(leaders: u64) -> Kernel {
        let mut kernel = Kernel::new();
        let genesis = Command::Genesis(crate::testing::genesis());
        let leader =
            |epoch| Command::LeaderChanged { term: epoch, leader: crate::testing::label("l") };
        for (command, sequence) in
            std::iter::once(genesis).chain((1..=leaders).map(leader)).zip(1..)
        {
            let stamped = Stamped {
                sequence,
                stamp: Timestamp(crate::testing::NOON + i64::try_from(sequence).expect("small")),
                fallback_clock: false,
                correlation: None,
                key: None,
                command,
                account_version: None,
            };
            kernel.execute(&stamped, &mut EventBuffer::new());
        }
        kernel
    }

    /// Equal states have one hash, whoever counts it and in however many shares, and another state has none with them.
    #[test]
    fn two_kernels_have_a_hash_if_they_are_equal() {
        let (one, same, other) = (kernel(1), kernel(1), kernel(2));
        let hash = hash_from_nothing(&one);
        assert_eq!(hash_of_both(&one, &same), Some(hash));
        assert_eq!((hash_of_both(&one, &other), hash_of_both(&other, &one)), (None, None));
        assert_eq!(hash_of_both(&Kernel::new(), &one), None, "one has more entities");
        assert_eq!(StateHash::of(&one).value(), hash);
        let mut sums = Sums::default();
        for share in 0..5 {
            let part = sum_share(&one, (share, 5));
            sums.iter_mut().zip(&part).for_each(|(sum, other)| sum.add_all(other));
        }
        assert_eq!(digest(&sums), hash);
    }

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
