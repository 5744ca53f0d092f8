//! What a request costs: from its category and its orders to the buckets it must take from.

use crate::adaptive::Factors;
use crate::bucket::Rate;
use crate::tables::{self, Category, Profile, Slot};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Its category.
    pub category: Category,
    /// Orders that it places or cancels, one by one.
    pub orders: u32,
    /// Whether it cancels all there are, which is no count of orders (RATE-7).
    pub is_cancel_all: bool,
    /// Keys of the client on commands that are no orders (RATE-8).
    pub keys: u32,
}

/// Tokens to be taken from a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The bucket.
    pub slot: Slot,
    /// Its rate now.
    pub rate: Rate,
    /// Tokens.
    pub count: u32,
    /// Whether the first time in an hour that they are missing is only warned of (RATE-34).
    pub is_soft: bool,
}

/// All that a request must be given at once, or nothing of it (RATE-2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    buckets: [Option<Charge>; 3],
    /// Of the day's orders: how many, and of how many.
    pub quota: Option<(u32, u32)>,
}

impl Demand {
    /// A request that names no order.
    #[must_use]
    pub const fn request(category: Category) -> Self {
        Self { category, orders: 0, is_cancel_all: false, keys: 0 }
    }

    /// A request that places orders.
    #[must_use]
    pub const fn place(orders: u32) -> Self {
        Self { orders, ..Self::request(Category::OrderPlacement) }
    }

    /// A request that cancels orders.
    #[must_use]
    pub const fn cancel(orders: u32) -> Self {
        Self { orders, ..Self::request(Category::OrderCancellation) }
    }

    /// A request that cancels all orders.
    #[must_use]
    pub const fn cancel_all() -> Self {
        Self { is_cancel_all: true, ..Self::request(Category::OrderCancellation) }
    }

    /// The same with keys of the client.
    #[must_use]
    pub const fn with_keys(self, keys: u32) -> Self {
        Self { keys, ..self }
    }

    /// What it costs an account.
    #[must_use]
    pub fn charges(&self, profile: Profile, factors: Factors) -> Charges {
        // Load spares the ways out (RATE-46), a listed address raises the request layer only (RATE-40).
        let is_loaded = factors.is_loaded && !self.category.is_exit();
        let of_requests = Factors { is_loaded, ..factors };
        let of_orders = Factors { is_listed: false, ..of_requests };
        let placing = self.category == Category::OrderPlacement;
        let base = tables::requests(self.category, profile.class);
        let tier =
            if placing { tables::orders(profile.tier) } else { tables::cancels(profile.tier) };
        let requests = Charge {
            slot: Slot::Requests(self.category),
            rate: of_requests.rate(base),
            count: 1,
            is_soft: self.category != Category::Withdrawal && !self.is_cancel_all,
        };
        let orders = Charge {
            slot: if placing { Slot::Orders } else { Slot::Cancels },
            rate: of_orders.rate(tier),
            count: self.orders,
            is_soft: true,
        };
        let all =
            Charge { slot: Slot::CancelAll, rate: tables::CANCEL_ALL, count: 1, is_soft: false };
        let counted = if placing { self.orders + self.keys } else { self.keys };
        Charges {
            buckets: [
                Some(requests),
                (self.orders > 0).then_some(orders),
                self.is_cancel_all.then_some(all),
            ],
            quota: tables::orders_a_day(profile.tier)
                .filter(|_| counted > 0)
                .map(|limit| (counted, limit)),
        }
    }
}

impl Charges {
    /// One bucket alone.
    #[must_use]
    pub const fn one(charge: Charge) -> Self {
        Self { buckets: [Some(charge), None, None], quota: None }
    }

    /// The buckets.
    pub fn buckets(&self) -> impl Iterator<Item = Charge> + '_ {
        self.buckets.iter().copied().flatten()
    }

    /// With rates `factor` times as high, where a bucket can hold that; the day's orders as well.
    #[must_use]
    pub fn raised(&self, factor: u32) -> Self {
        let raise = |charge: Charge| Charge { rate: charge.rate.times(factor), ..charge };
        let quota = self.quota.map(|(count, limit)| (count, limit.saturating_mul(factor)));
        Self { buckets: self.buckets.map(|charge| charge.map(raise)), quota }
    }

    /// Without what is only warned of.
    #[must_use]
    pub fn hard(&self) -> Self {
        let buckets = self.buckets.map(|charge| charge.filter(|charge| !charge.is_soft));
        Self { buckets, quota: self.quota }
    }
}
