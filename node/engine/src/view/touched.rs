//! Collects the entities that changed, for the state hash.
//!
//! Each kind has a list of bare ids. A command touches the same few entities again and again, so a
//! repeat of the last id of its kind is left out at once; the rest is sorted and freed of repeats when
//! it is taken, and before that whenever a list has doubled, so that its size is bounded by twice the
//! entities that changed.

use kernel::{Entity, Watch};

/// The entities that changed since they were last taken.
#[derive(Debug)]
pub(crate) struct Touched {
    system: bool,
    assets: Ids<u32>,
    markets: Ids<u32>,
    accounts: Ids<u32>,
    balances: Ids<(u32, u32)>,
    orders: Ids<u64>,
    keys: Ids<[u8; 16]>,
    fees: Ids<u32>,
    refunds: Ids<(u32, u64)>,
}

/// The ids of one kind.
#[derive(Debug)]
struct Ids<T> {
    ids: Vec<T>,
    distinct: usize,
}

impl Default for Touched {
    /// The system entity is there before the first event, and nobody has hashed it.
    fn default() -> Self {
        Self {
            system: true,
            assets: Ids::new(),
            markets: Ids::new(),
            accounts: Ids::new(),
            balances: Ids::new(),
            orders: Ids::new(),
            keys: Ids::new(),
            fees: Ids::new(),
            refunds: Ids::new(),
        }
    }
}

impl Touched {
    /// Hands out each entity that changed, once, and forgets them.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(Entity)) {
        if std::mem::take(&mut self.system) {
            each(Entity::System);
        }
        self.assets.drain(|number| each(Entity::Asset(number)));
        self.markets.drain(|number| each(Entity::Market(number)));
        self.accounts.drain(|number| each(Entity::Account(number)));
        self.balances.drain(|(account, asset)| each(Entity::Balance { account, asset }));
        self.orders.drain(|sequence| each(Entity::Order(sequence)));
        self.keys.drain(|key_hash| each(Entity::Key(key_hash)));
        self.fees.drain(|number| each(Entity::Fees(number)));
        self.refunds.drain(|(account, trade)| each(Entity::Refund { account, trade }));
    }
}

impl<T: Copy + Ord> Ids<T> {
    const fn new() -> Self {
        Self { ids: Vec::new(), distinct: 0 }
    }

    #[inline]
    fn push(&mut self, id: T) {
        if self.ids.last() != Some(&id) {
            self.ids.push(id);
            if self.ids.len() >= COMPACT_COUNT_MIN.max(2 * self.distinct) {
                self.compact();
            }
        }
    }

    fn compact(&mut self) {
        self.ids.sort_unstable();
        self.ids.dedup();
        self.distinct = self.ids.len();
    }

    fn drain(&mut self, each: impl FnMut(T)) {
        self.compact();
        self.distinct = 0;
        self.ids.drain(..).for_each(each);
    }
}

impl Watch for Touched {
    #[inline]
    fn touched(&mut self, entity: Entity) {
        match entity {
            Entity::System => self.system = true,
            Entity::Asset(number) => self.assets.push(number),
            Entity::Market(number) => self.markets.push(number),
            Entity::Account(number) => self.accounts.push(number),
            Entity::Balance { account, asset } => self.balances.push((account, asset)),
            Entity::Order(sequence) => self.orders.push(sequence),
            Entity::Key(key_hash) => self.keys.push(key_hash),
            Entity::Fees(number) => self.fees.push(number),
            Entity::Refund { account, trade } => self.refunds.push((account, trade)),
        }
    }
}

/// Below this many nothing is compacted before it is taken.
const COMPACT_COUNT_MIN: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    /// covers: DET-47
    #[test]
    fn every_entity_is_given_once() {
        let mut touched = Touched::default();
        for round in 0..200_000u64 {
            touched.touched(Entity::System);
            touched.touched(Entity::Order(round % 70_000));
            touched.touched(Entity::Account(7));
        }
        assert!(touched.orders.ids.len() <= 140_000 && touched.accounts.ids.len() == 1);
        let mut taken = Vec::new();
        touched.drain(|entity| taken.push(entity));
        assert_eq!(taken.len(), 70_002);
        assert!(taken.is_sorted());
        touched.drain(|entity| panic!("{entity:?} was taken before"));
    }
}
