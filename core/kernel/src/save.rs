//! Saving the whole state and loading it again.
//!
//! The bytes are canonical: one state has one encoding (RPL-42). They hold what `entity.rs` encodes,
//! kind by kind, and in front where the kernel stood in the command log. A loaded kernel does the same
//! with the same later commands (RPL-35): books are built from the open orders in order of their
//! priority, numbers and queues from the order in which entities are stored. Checksum, compression and
//! place on disk belong to the snapshot store.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use book::Entry;
use ledger::{Account, Balance, SystemAccount};
use schema::limits::FEE_TIER_COUNT_MAX;
use schema::wire::{DecodeError, Reader, write_option, write_time, write_u64};
use schema::{
    AccountStatus, ClockStatus, Event, EventKind, FeeTier, HaltReason, OrderState, OrderType,
    SelfTrade, TimeInForce, TriggerKind, WaiverReason, decode_payload,
};
use units::{Amount, Lots, Side, Timestamp};

use crate::due::DueKind;
use crate::halting::read_halt;
use crate::keys::KeptKey;
use crate::market::{Market, tick_times_lot};
use crate::rates::{AccountFees, SpecialRates};
use crate::{Conditions, Entity, Kernel, Order, Unwatched, Waiting, Watch};

/// Format of the saved state of a shard that trades.
pub const SNAPSHOT_FORMAT: u8 = 1;
/// The same of a halted one: behind the system's part the halt follows (D-119).
pub const HALTED_FORMAT: u8 = 2;

/// Why bytes are no saved state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// Not readable as such.
    Decode(DecodeError),
    /// Readable, but its parts contradict each other.
    Inconsistent,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(cause) => write!(f, "saved state cannot be read: {cause}"),
            Self::Inconsistent => f.write_str("the parts of the saved state contradict each other"),
        }
    }
}

impl core::error::Error for LoadError {}

impl From<DecodeError> for LoadError {
    fn from(cause: DecodeError) -> Self {
        Self::Decode(cause)
    }
}

impl<W: Watch> Kernel<W> {
    /// Appends the whole state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(if self.halt.is_some() { HALTED_FORMAT } else { SNAPSHOT_FORMAT });
        write_u64(out, self.position.command_sequence);
        write_time(out, self.position.last_stamp);
        self.save_one(Entity::System, out);
        self.save_all((0..self.assets.count()).map(|index| Entity::Asset(index + 1)), out);
        self.save_all((0..self.markets.count()).map(|index| Entity::Market(index + 1)), out);
        self.save_all((0..self.ledger.account_count()).map(Entity::Account), out);
        for account in 0..self.ledger.account_count() {
            let fees = self.has_fees(account).then_some(Entity::Fees(account));
            write_option(out, fees, |out, fees| self.save_one(fees, out));
        }
        for account in 0..self.ledger.account_count() {
            let assets: Vec<u32> = self.ledger.assets_of(account).collect();
            write_u64(out, assets.len() as u64);
            for asset in assets {
                write_u64(out, u64::from(asset));
                self.save_one(Entity::Balance { account, asset }, out);
            }
        }
        let orders = self.open_orders();
        write_u64(out, orders.len() as u64);
        for sequence in orders {
            write_u64(out, sequence);
            self.save_one(Entity::Order(sequence), out);
        }
        let keys: Vec<[u8; 16]> = self.keys.iter().map(|(hash, _)| hash).collect();
        write_u64(out, keys.len() as u64);
        for hash in keys {
            out.extend_from_slice(&hash);
            self.save_one(Entity::Key(hash), out);
        }
        self.save_refunds(out);
    }

    fn save_all(&self, entities: impl ExactSizeIterator<Item = Entity>, out: &mut Vec<u8>) {
        write_u64(out, entities.len() as u64);
        for entity in entities {
            self.save_one(entity, out);
        }
    }

    fn save_one(&self, entity: Entity, out: &mut Vec<u8>) {
        self.write_entity(entity, out).expect("an entity that was listed is there");
    }
}

impl Kernel {
    /// The kernel that was saved.
    ///
    /// # Errors
    /// Bytes that no kernel saved.
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::load_watched(bytes, Unwatched)
    }
}

impl<W: Watch> Kernel<W> {
    /// The kernel that was saved, with its changes watched from now on.
    ///
    /// # Errors
    /// Bytes that no kernel saved.
    pub fn load_watched(bytes: &[u8], watch: W) -> Result<Self, LoadError> {
        let mut kernel = Self::watched(watch);
        let mut reader = Reader::new(bytes);
        let is_halted = match reader.u8()? {
            SNAPSHOT_FORMAT => false,
            HALTED_FORMAT => true,
            _ => return Err(DecodeError::Unknown.into()),
        };
        kernel.position.command_sequence = reader.u64()?;
        kernel.position.last_stamp = reader.time()?;
        kernel.load_system(&mut reader)?;
        if is_halted {
            kernel.halt = Some(Box::new(read_halt(&mut reader)?));
        }
        for _ in 0..reader.u64()? {
            let Event::AssetListed(listed) =
                decode_payload(&mut reader, EventKind::AssetListed, 1)?
            else {
                return Err(LoadError::Inconsistent);
            };
            if kernel.assets.number(&listed.terms.symbol).is_some() {
                return Err(LoadError::Inconsistent);
            }
            kernel.assets.list(listed.terms);
        }
        for _ in 0..reader.u64()? {
            kernel.load_market(&mut reader)?;
        }
        kernel.check_halt()?;
        kernel.load_accounts(&mut reader)?;
        kernel.load_orders(&mut reader)?;
        kernel.check_pairs()?;
        kernel.check_reservations()?;
        kernel.restore_limits();
        // The day that its last event was in: what rates are read for before the next command.
        kernel.command_time = kernel.position.last_timestamp;
        kernel.load_keys(&mut reader)?;
        kernel.load_refunds(&mut reader)?;
        reader.end()?;
        Ok(kernel)
    }

    /// Tells a kernel that events alone made, or that one of those was saved as, where the command log
    /// stands: commands without events leave no trace in them (D-88).
    pub fn continue_behind(&mut self, command_sequence: u64, last_stamp: Timestamp) {
        self.position.command_sequence = command_sequence;
        self.position.last_stamp = last_stamp;
    }

    /// While a halt lasts every market is closed, and the halt names markets that there are, each once.
    fn check_halt(&self) -> Result<(), LoadError> {
        let Some(halt) = &self.halt else { return Ok(()) };
        consistent(halt.reason != HaltReason::Invariant)?;
        consistent(halt.markets.is_sorted_by(|one, other| one < other))?;
        consistent(halt.markets.iter().all(|&market| self.markets.market(market).is_some()))?;
        consistent(self.markets.iter().all(|market| !market.open))
    }

    /// Each pair is two open orders of one account and market that name each other (D-67).
    fn check_pairs(&self) -> Result<(), LoadError> {
        for account in 0..self.ledger.account_count() {
            for slot in self.orders.of_account(account) {
                let order = self.orders.at(slot);
                let Some(pair) = order.pair() else { continue };
                let other = self.orders.slot(pair).ok_or(LoadError::Inconsistent)?;
                let other = self.orders.at(other);
                consistent(other.pair() == Some(order.sequence) && pair != order.sequence)?;
                consistent(other.account == account && other.market() == order.market())?;
            }
        }
        Ok(())
    }

    /// Each order holds what it needs, and what is locked is what the orders hold (ACCT-20, INV-8).
    fn check_reservations(&self) -> Result<(), LoadError> {
        // What the orders of one account hold by asset, from number 0 on, which no asset has; none between accounts.
        let mut held: Vec<Option<Amount>> = vec![None; self.assets.count() as usize + 1];
        let mut held_assets = Vec::new();
        for account in 0..self.ledger.account_count() {
            for slot in self.orders.of_account(account) {
                let order = self.orders.at(slot);
                let market = self.markets.at(order.market());
                let rest = (order.ticks, order.remaining());
                let need = market.requirement(order.side, rest, order.reserve_rate());
                consistent(need.is_some())?;
                consistent(self.orders.slot(order.sequence) == Some(slot))?;
                consistent(self.hold_of(slot) == order.reserved())?;
                let asset = market.reserved_asset(order.side);
                let sum = held.get_mut(asset as usize).ok_or(LoadError::Inconsistent)?;
                let more = sum.unwrap_or_default().checked_add(order.reserved());
                *sum = Some(more.ok_or(LoadError::Inconsistent)?);
                held_assets.push(asset);
            }
            for asset in self.ledger.assets_of(account) {
                let sum = held.get_mut(asset as usize).ok_or(LoadError::Inconsistent)?;
                let locked = sum.take().unwrap_or_default();
                consistent(self.ledger.balance(account, asset).locked == locked)?;
            }
            // An asset that an order reserves and the account has no balance in is still there.
            let mut assets = held_assets.drain(..);
            consistent(assets.all(|asset| held[asset as usize].is_none()))?;
        }
        Ok(())
    }

    /// The clients' keys come first, both kinds in order of their ends, each key once.
    fn load_keys(&mut self, reader: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut last = None;
        for _ in 0..reader.u64()? {
            let hash = reader.array()?;
            let kept = read_key(reader)?;
            let place = Some((kept.gateway, kept.expires_at));
            consistent(last <= place && self.keys.any(&hash).is_none())?;
            last = place;
            self.keys.restore(hash, kept);
        }
        Ok(())
    }

    fn load_system(&mut self, reader: &mut Reader<'_>) -> Result<(), LoadError> {
        self.position.event_sequence = reader.u64()?;
        self.position.last_timestamp = reader.time()?;
        self.position.epoch = reader.u64()?;
        self.recorded.genesis = reader.option(|reader| {
            let size = usize::try_from(reader.u64()?).map_err(|_| DecodeError::BadNumber)?;
            let genesis = schema::Genesis::from_configuration(reader.take(size)?)?;
            Ok((Box::new(genesis), reader.array()?))
        })?;
        self.recorded.leader = reader.option(Reader::label)?;
        self.recorded.state_hash = reader.option(|reader| Ok((reader.u64()?, reader.array()?)))?;
        self.recorded.snapshot =
            reader.option(|reader| Ok((reader.u64()?, reader.time()?, reader.array()?)))?;
        self.recorded.clock = reader
            .option(|reader| ClockStatus::from_number(reader.u8()?).ok_or(DecodeError::BadTag))?;
        (self.schedule.since, self.schedule.tiers) = read_schedule(reader)?;
        self.due.end_tiers_until(self.schedule.since);
        self.schedule.announced = reader.option(read_schedule)?;
        self.schedule.announced_at = reader.time()?;
        if let Some((time, _)) = &self.schedule.announced {
            self.due.add((*time, DueKind::Schedule, 0));
        }
        Ok(())
    }

    /// Volumes, tier and rates of an account, and its countdown.
    fn load_fees(&mut self, account: u32, reader: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut fees = AccountFees::default();
        fees.tier = reader.u8()?;
        for _ in 0..reader.u64()? {
            let day = (reader.u32()?, reader.amount()?);
            consistent(fees.last().0 < day.0)?;
            fees.begin_day(day.0, day.1);
        }
        let special = reader.option(|reader| {
            Ok(SpecialRates {
                own: reader.option(|reader| Ok((reader.rate()?, reader.rate()?)))?,
                waiver: reader.option(|reader| {
                    let reason = reader.tag(WaiverReason::from_number)?;
                    Ok((reason, reader.option(Reader::time)?))
                })?,
                announced: reader.option(|reader| {
                    match decode_payload(reader, EventKind::FeeTierChanged, 1)? {
                        Event::FeeTierChanged(event) => Ok(event),
                        _ => Err(DecodeError::BadTag),
                    }
                })?,
                announced_at: reader.time()?,
            })
        })?;
        if let Some(special) = &special {
            consistent(*special != SpecialRates::default())?;
            if let Some((_, Some(end))) = special.waiver {
                self.due.add((end, DueKind::WaiverEnd, u64::from(account)));
            }
            if let Some(event) = &special.announced {
                consistent(event.account == account)?;
                self.due.add((event.effective_at, DueKind::Rates, u64::from(account)));
            }
        }
        fees.special = special.map(Box::new);
        self.fees[account as usize] = fees;
        self.copy_rates(account);
        if let Some(deadline) = reader.option(Reader::time)? {
            self.countdowns.insert(account, deadline);
            self.due.add((deadline, DueKind::Countdown, u64::from(account)));
        }
        Ok(())
    }

    fn load_market(&mut self, reader: &mut Reader<'_>) -> Result<(), LoadError> {
        let Event::MarketListed(listed) = decode_payload(reader, EventKind::MarketListed, 1)?
        else {
            return Err(LoadError::Inconsistent);
        };
        let pair = self.pair_of(&listed).ok_or(LoadError::Inconsistent)?;
        let genesis = self.recorded.genesis.as_ref().ok_or(LoadError::Inconsistent)?;
        let terms = &listed.terms;
        let unit = tick_times_lot(terms.tick_size, terms.lot_size);
        let steps = terms.tick_size > Amount::ZERO && terms.lot_size > Amount::ZERO;
        let tiers =
            genesis.0.fee_tiers.len() <= FEE_TIER_COUNT_MAX && !self.schedule.tiers.is_empty();
        let is_new = self.markets.number(&terms.symbol).is_none();
        consistent(is_new && steps && tiers && unit.is_some_and(|unit| unit > Amount::ZERO))?;
        let number = self.markets.count() + 1;
        let mut market = Market::new(number, listed.terms, pair);
        market.open = reader.flag()?;
        market.sequence = reader.u64()?;
        market.last_price = reader.option(Reader::ticks)?;
        market.limited_at = reader.time()?;
        self.markets.list(market);
        Ok(())
    }

    fn load_accounts(&mut self, reader: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut last = None;
        for _ in 0..reader.u64()? {
            let account = read_account(reader)?;
            let place = Some(account.id.sequence());
            let known = self.ledger.number_of_external_id(&account.external_id()).is_some();
            consistent(last < place && !known)?;
            last = place;
            self.ledger.open(account);
            self.orders.open_account();
            self.fees.push(AccountFees::default());
        }
        for account in 0..self.ledger.account_count() {
            if reader.flag()? {
                self.load_fees(account, reader)?;
                consistent(self.has_fees(account))?;
            }
        }
        // One sum an asset, from number 0 on, which no asset has.
        let mut sums = vec![Amount::ZERO; self.assets.count() as usize + 1];
        for account in 0..self.ledger.account_count() {
            let mut last = None;
            for _ in 0..reader.u64()? {
                let asset = reader.u32()?;
                let balance = read_balance(reader)?;
                consistent(last < Some(asset) && self.assets.terms(asset).is_some())?;
                last = Some(asset);
                let signed = SystemAccount::may_be_negative(account);
                consistent(signed || (balance.available.0 >= 0 && balance.locked.0 >= 0))?;
                let total = balance.available.checked_add(balance.locked);
                let total = total.filter(|total| total.is_balance());
                let sum = total.and_then(|total| sums[asset as usize].checked_add(total));
                sums[asset as usize] = sum.ok_or(LoadError::Inconsistent)?;
                self.ledger.restore(account, asset, balance);
            }
        }
        consistent(sums.iter().all(|sum| *sum == Amount::ZERO))
    }

    /// Orders come in order of their ids, so that each account's list is in order; they enter their
    /// books in order of priority.
    fn load_orders(&mut self, reader: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut resting = Vec::new();
        let mut last = None;
        for _ in 0..reader.u64()? {
            let sequence = reader.u64()?;
            let order = read_order(reader, sequence)?;
            let times = Timestamp(0)..=self.position.last_timestamp;
            let sound = self.ledger.account(order.account).is_some()
                && self.markets.market(order.market).is_some()
                && (order.is_open() && (order.may_rest() || order.waiting().is_some()))
                && order.filled < order.total
                && (order.ticks.0 > 0 && order.reserved >= Amount::ZERO)
                && (last < Some(sequence) && sequence <= self.position.event_sequence)
                && times.contains(&order.submitted_at);
            consistent(sound)?;
            last = Some(sequence);
            let (priority, is_waiting) = (order.priority, order.waiting().is_some());
            let slot = self.orders.restore(order);
            self.restore_queues(slot);
            if !is_waiting {
                resting.push((priority, slot));
            }
        }
        resting.sort_unstable();
        for (_, slot) in resting {
            let order = self.orders.at(slot);
            let book = &self.markets.at(order.market()).book;
            consistent(!book.crosses(order.side, order.ticks))?;
            let entry = Entry {
                side: order.side,
                ticks: order.ticks,
                lots: order.remaining(),
                account: order.account,
                order: slot,
            };
            let node = self.markets.at_mut(order.market()).book.insert(entry);
            self.orders.at_mut(slot).node = node;
        }
        Ok(())
    }
}

/// What a sound state holds to.
pub(crate) fn consistent(holds: bool) -> Result<(), LoadError> {
    if holds { Ok(()) } else { Err(LoadError::Inconsistent) }
}

fn read_account(reader: &mut Reader<'_>) -> Result<Account, LoadError> {
    let id = reader.id()?;
    let Event::AccountCreated(created) = decode_payload(reader, EventKind::AccountCreated, 1)?
    else {
        return Err(LoadError::Inconsistent);
    };
    let status = AccountStatus::from_number(reader.u8()?).ok_or(DecodeError::BadTag)?;
    let version = reader.u64()?;
    let created_at = reader.time()?;
    let mut account = Account::new(id, &created.opening, created_at);
    account.status = status;
    account.version = version;
    account.updated_at = reader.time()?;
    account.fee_in_token = reader.flag()?;
    Ok(account)
}

fn read_balance(reader: &mut Reader<'_>) -> Result<Balance, LoadError> {
    Ok(Balance {
        available: reader.amount()?,
        locked: reader.amount()?,
        update_seq: reader.u64()?,
        updated_at: reader.time()?,
    })
}

fn read_order(reader: &mut Reader<'_>, sequence: u64) -> Result<Order, LoadError> {
    let state = |number: u8| match number {
        u8::MAX => Ok(None),
        _ => OrderState::from_number(number).map(Some).ok_or(DecodeError::BadTag),
    };
    let submitted_at = reader.time()?;
    let (account, market) = (reader.u32()?, reader.u32()?);
    let (ticks, total, filled) = (reader.ticks()?, reader.lots()?, Lots(reader.u64()?));
    let units = u128::from_le_bytes(reader.array()?);
    let (fees, reserved) = (reader.amount()?, reader.amount()?);
    let reserve_rate = i32::try_from(reader.rate()?.0).map_err(|_| DecodeError::BadNumber)?;
    let (version, state_seq, priority) = (reader.u64()?, reader.u64()?, reader.u64()?);
    let state_changed_at = reader.time()?;
    let [now, before, side, order_type, time_in_force, self_trade] = reader.array()?;
    Ok(Order {
        sequence,
        submitted_at,
        account,
        market,
        ticks,
        total,
        filled,
        units,
        fees,
        reserved,
        reserve_rate,
        version,
        state_seq,
        state_changed_at,
        priority,
        state: state(now)?,
        prev_state: state(before)?,
        side: match side {
            0 => Side::Buy,
            1 => Side::Sell,
            _ => return Err(DecodeError::BadTag.into()),
        },
        order_type: OrderType::from_number(order_type).ok_or(DecodeError::BadTag)?,
        time_in_force: TimeInForce::from_number(time_in_force).ok_or(DecodeError::BadTag)?,
        self_trade: SelfTrade::from_number(self_trade).ok_or(DecodeError::BadTag)?,
        conditions: read_conditions(reader)?,
        is_resting: false,
    })
}

fn read_conditions(reader: &mut Reader<'_>) -> Result<Option<Box<Conditions>>, LoadError> {
    let conditions = Conditions {
        expire_at: reader.option(Reader::time)?,
        trigger: reader.option(|reader| {
            Ok(Waiting {
                kind: reader.tag(TriggerKind::from_number)?,
                ticks: reader.ticks()?,
                met: reader.option(|reader| Ok((reader.time()?, reader.ticks()?)))?,
            })
        })?,
        pair: reader.option(Reader::u64)?,
        post_only: reader.flag()?,
    };
    Ok((conditions != Conditions::default()).then(|| Box::new(conditions)))
}

/// A fee table as its event has it, and when it came or comes into force.
fn read_schedule(reader: &mut Reader<'_>) -> Result<(Timestamp, Vec<FeeTier>), DecodeError> {
    match decode_payload(reader, EventKind::FeeScheduleChanged, 1)? {
        Event::FeeScheduleChanged(event) => Ok((event.effective_at, event.tiers)),
        _ => Err(DecodeError::BadTag),
    }
}

fn read_key(reader: &mut Reader<'_>) -> Result<KeptKey, LoadError> {
    Ok(KeptKey {
        body_hash: reader.array()?,
        expires_at: reader.time()?,
        first_command: reader.u64()?,
        gateway: reader.flag()?,
    })
}
