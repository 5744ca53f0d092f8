//! Entities and their canonical encoding: the parts that all of the state falls into (D-50, DET-46).
//!
//! Every part of the state belongs to one entity, so that what changed can be hashed alone and the
//! whole is the sum of its entities. An encoding holds all that a later command can depend on and
//! nothing derived: no book, no slot, no list. The command sequence and the last stamp are no part of
//! it, since events alone do not tell them.

use alloc::vec::Vec;

use ledger::{Account, Balance};
use schema::wire::{
    write_amount, write_i64, write_id, write_option, write_text, write_time, write_u64,
};
use schema::{Event, FeeScheduleChanged, FeeTier, MarketListed, Payload};

use crate::keys::KeptKey;
use crate::rates::{AccountFees, Schedule};
use crate::refund::write_refunded;
use crate::{Conditions, Kernel, Market, Order, Watch};

/// Names one part of the state. The order of the kinds is that of the state hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// Genesis, sequence, time, epoch, clock, fee schedule, last hash and snapshot.
    System,
    /// An asset, by number.
    Asset(u32),
    /// A market, by listing number.
    Market(u32),
    /// An account without its balances, by number.
    Account(u32),
    /// What an account has of an asset.
    Balance {
        /// Number of the account.
        account: u32,
        /// Number of the asset.
        asset: u32,
    },
    /// An open order, by the sequence of its OrderSubmitted.
    Order(u64),
    /// A kept idempotency key, by its hash.
    Key([u8; 16]),
    /// Volumes, tier and rates of an account and its countdown, by number; absent while all are as they
    /// were at its opening.
    Fees(u32),
    /// What was given back of the fee that a trade charged an account.
    Refund {
        /// Number of the account.
        account: u32,
        /// Sequence of the trade's TradeExecuted.
        trade: u64,
    },
}

impl Entity {
    /// How many kinds there are.
    pub const KIND_COUNT: usize = 9;

    /// Number of its kind, from 0.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::System => 0,
            Self::Asset(_) => 1,
            Self::Market(_) => 2,
            Self::Account(_) => 3,
            Self::Balance { .. } => 4,
            Self::Order(_) => 5,
            Self::Key(_) => 6,
            Self::Fees(_) => 7,
            Self::Refund { .. } => 8,
        }
    }

    /// Kind and id.
    fn write_name(&self, out: &mut Vec<u8>) {
        out.push(self.kind());
        match self {
            Self::System => {}
            Self::Asset(number)
            | Self::Market(number)
            | Self::Account(number)
            | Self::Fees(number) => {
                write_u64(out, u64::from(*number));
            }
            Self::Balance { account, asset } => {
                write_u64(out, u64::from(*account));
                write_u64(out, u64::from(*asset));
            }
            Self::Order(sequence) => write_u64(out, *sequence),
            Self::Refund { account, trade } => {
                write_u64(out, u64::from(*account));
                write_u64(out, *trade);
            }
            Self::Key(hash) => out.extend_from_slice(hash),
        }
    }
}

impl<W: Watch> Kernel<W> {
    /// Appends kind, id and canonical encoding of an entity; `false`, and nothing appended, when it is
    /// not there (any more).
    pub fn encode_entity(&self, entity: Entity, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        entity.write_name(out);
        if self.write_entity(entity, out).is_none() {
            out.truncate(start);
            return false;
        }
        true
    }

    /// Appends the canonical encoding alone.
    pub(crate) fn write_entity(&self, entity: Entity, out: &mut Vec<u8>) -> Option<()> {
        match entity {
            Entity::System => self.write_system(out),
            Entity::Asset(number) => {
                let terms = self.assets.terms(number)?.clone();
                Event::AssetListed(schema::AssetListed { terms }).write(out, 1);
            }
            Entity::Market(number) => write_market(self.markets.market(number)?, out),
            Entity::Account(number) => write_account(self.ledger.account(number)?, out),
            Entity::Fees(number) => {
                let fees = self.fees.get(number as usize).filter(|_| self.has_fees(number))?;
                write_fees(fees, out);
                write_option(out, self.countdowns.get(&number).copied(), write_time);
            }
            Entity::Balance { account, asset } => {
                self.ledger.assets_of(account).find(|&of| of == asset)?;
                write_balance(&self.ledger.balance(account, asset), out);
            }
            Entity::Order(sequence) => write_order(&self.order_of(sequence)?, out),
            Entity::Key(hash) => write_key(self.keys.any(&hash)?, out),
            Entity::Refund { account, trade } => {
                write_refunded(self.refunds.get(&(account, trade))?, out);
            }
        }
        Some(())
    }

    /// Whether anything of its fees or its countdown is not as it was at an account's opening.
    pub(crate) fn has_fees(&self, number: u32) -> bool {
        self.fees[number as usize] != AccountFees::default()
            || self.countdowns.contains_key(&number)
    }

    fn write_system(&self, out: &mut Vec<u8>) {
        let (position, recorded) = (&self.position, &self.recorded);
        write_u64(out, position.event_sequence);
        write_time(out, position.last_timestamp);
        write_u64(out, position.epoch);
        write_option(out, recorded.genesis.as_ref(), |out, (genesis, hash)| {
            let configuration = genesis.configuration();
            write_u64(out, configuration.len() as u64);
            out.extend_from_slice(&configuration);
            out.extend_from_slice(hash);
        });
        write_option(out, recorded.leader.as_ref(), |out, leader| write_text(out, leader.as_str()));
        write_option(out, recorded.state_hash, |out, (at, hash)| {
            write_u64(out, at);
            out.extend_from_slice(&hash);
        });
        write_option(out, recorded.snapshot, |out, (at, time, checksum)| {
            write_u64(out, at);
            write_time(out, time);
            out.extend_from_slice(&checksum);
        });
        write_option(out, recorded.clock, |out, clock| out.push(clock.number()));
        write_schedule(&self.schedule, out);
    }

    /// Every entity of the state, kind by kind, each kind in a fixed order.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        let accounts = 0..self.ledger.account_count();
        let fees = accounts.clone().filter(|&number| self.has_fees(number)).map(Entity::Fees);
        let balances = accounts.clone().flat_map(|account| {
            self.ledger.assets_of(account).map(move |asset| Entity::Balance { account, asset })
        });
        core::iter::once(Entity::System)
            .chain((1..=self.assets.count()).map(Entity::Asset))
            .chain((1..=self.markets.count()).map(Entity::Market))
            .chain(accounts.map(Entity::Account))
            .chain(balances)
            .chain(self.open_orders().into_iter().map(Entity::Order))
            .chain(self.keys.iter().map(|(hash, _)| Entity::Key(hash)))
            .chain(fees)
            .chain(self.refunds.keys().map(|&(account, trade)| Entity::Refund { account, trade }))
    }

    /// Sequences of all open orders, rising.
    pub(crate) fn open_orders(&self) -> Vec<u64> {
        let mut all: Vec<u64> = (0..self.ledger.account_count())
            .flat_map(|account| {
                self.orders.of_account(account).map(|slot| self.orders.at(slot).sequence)
            })
            .collect();
        all.sort_unstable();
        all
    }
}

fn write_market(market: &Market, out: &mut Vec<u8>) {
    MarketListed { terms: market.terms.clone() }.write(out, 1);
    out.push(u8::from(market.open));
    write_u64(out, market.sequence);
    write_option(out, market.last_price, |out, price| write_u64(out, price.0));
    write_time(out, market.limited_at);
}

/// The table in force and the one that was announced, as their events have them.
fn write_schedule(schedule: &Schedule, out: &mut Vec<u8>) {
    let tiers = |effective_at, tiers: &[FeeTier]| {
        Event::FeeScheduleChanged(FeeScheduleChanged { tiers: tiers.to_vec(), effective_at })
    };
    tiers(schedule.since, &schedule.tiers).write(out, 1);
    write_option(out, schedule.announced.as_ref(), |out, (time, announced)| {
        tiers(*time, announced).write(out, 1);
    });
    write_time(out, schedule.announced_at);
}

fn write_fees(fees: &AccountFees, out: &mut Vec<u8>) {
    out.push(fees.tier);
    write_u64(out, fees.days().count() as u64);
    for (day, volume) in fees.days() {
        write_u64(out, u64::from(day));
        write_amount(out, volume);
    }
    write_option(out, fees.special.as_ref(), |out, special| {
        write_option(out, special.own, |out, (maker, taker)| {
            write_i64(out, maker.0);
            write_i64(out, taker.0);
        });
        write_option(out, special.waiver, |out, (reason, ends_at)| {
            out.push(reason.number());
            write_option(out, ends_at, write_time);
        });
        write_option(out, special.announced.as_ref(), |out, event| event.write(out, 1));
        write_time(out, special.announced_at);
    });
}

fn write_account(account: &Account, out: &mut Vec<u8>) {
    write_id(out, account.id);
    let opening = account.opening();
    schema::AccountCreated { opening }.write(out, 1);
    out.push(account.status.number());
    write_u64(out, account.version);
    write_time(out, account.created_at);
    write_time(out, account.updated_at);
    out.push(u8::from(account.fee_in_token));
}

fn write_balance(balance: &Balance, out: &mut Vec<u8>) {
    write_amount(out, balance.available);
    write_amount(out, balance.locked);
    write_u64(out, balance.update_seq);
    write_time(out, balance.updated_at);
}

fn write_order(order: &Order, out: &mut Vec<u8>) {
    write_time(out, order.submitted_at);
    write_u64(out, u64::from(order.account));
    write_u64(out, u64::from(order.market));
    for number in [order.ticks.0, order.total.0, order.filled.0] {
        write_u64(out, number);
    }
    out.extend_from_slice(&order.units.to_le_bytes());
    write_amount(out, order.fees);
    write_amount(out, order.reserved);
    write_i64(out, order.reserve_rate().0);
    for number in [order.version, order.state_seq, order.priority] {
        write_u64(out, number);
    }
    write_time(out, order.state_changed_at);
    out.extend_from_slice(&[
        order.state.map_or(u8::MAX, schema::OrderState::number),
        order.prev_state.map_or(u8::MAX, schema::OrderState::number),
        u8::from(order.side == units::Side::Sell),
        order.order_type.number(),
        order.time_in_force.number(),
        order.self_trade.number(),
    ]);
    write_conditions(order.conditions.as_deref(), out);
}

/// No conditions and empty ones are the same.
fn write_conditions(conditions: Option<&Conditions>, out: &mut Vec<u8>) {
    let none = Conditions::default();
    let conditions = conditions.unwrap_or(&none);
    write_option(out, conditions.expire_at, write_time);
    write_option(out, conditions.trigger, |out, waiting| {
        out.push(waiting.kind.number());
        write_u64(out, waiting.ticks.0);
        write_option(out, waiting.met, |out, (time, price)| {
            write_time(out, time);
            write_u64(out, price.0);
        });
    });
    write_option(out, conditions.pair, write_u64);
    out.push(u8::from(conditions.post_only));
}

fn write_key(key: &KeptKey, out: &mut Vec<u8>) {
    out.extend_from_slice(&key.body_hash);
    write_time(out, key.expires_at);
    write_u64(out, key.first_command);
    out.push(u8::from(key.gateway));
}
