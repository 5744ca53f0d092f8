//! The stored form of a command (`docs/formats/command.md`).
//!
//! One byte of format, one of flags, one of type, the stamp, what the flags announce, the body, and
//! behind an administrative body the operator's approval. The sequence is not stored: the record that
//! holds the command gives it. The body alone is what an idempotency key's hash covers and what the
//! operator signs.

use alloc::vec::Vec;

use units::Side;

use crate::terms::{AssetTerms, FeeTier, MarketTerms, NetworkTerms};
use crate::wire::{
    DecodeError, Reader, write_amount, write_i64, write_id, write_option, write_text, write_time,
    write_u64,
};
use crate::{
    AccountOpening, AssetRef, CancelOrder, Command, CommandKind, Genesis, Key, KeyOrigin,
    LedgerEntry, Operator, OrderRequest, OrderType, PositionSide, SelfTrade, Stamped, StatusChange,
    SymbolRef, TimeInForce, Trigger, limits,
};

/// Format of commands that this version writes, and the only one it reads.
pub const COMMAND_FORMAT: u8 = 1;

const CORRELATED: u8 = 1;
const KEYED: u8 = 1 << 1;
const GATEWAY_KEY: u8 = 1 << 2;
const KEY_TEXT: u8 = 1 << 3;
const FALLBACK_CLOCK: u8 = 1 << 4;
const FLAGS_END: u8 = 1 << 5;

/// Appends the stored form of a command.
pub fn encode_command(out: &mut Vec<u8>, stamped: &Stamped) {
    let mut flags = 0;
    flags |= if stamped.correlation.is_some() { CORRELATED } else { 0 };
    flags |= if stamped.fallback_clock { FALLBACK_CLOCK } else { 0 };
    if let Some(key) = &stamped.key {
        flags |= KEYED;
        flags |= if matches!(key.origin, KeyOrigin::Gateway { .. }) { GATEWAY_KEY } else { 0 };
        flags |= if key.text.is_some() { KEY_TEXT } else { 0 };
    }
    out.extend_from_slice(&[COMMAND_FORMAT, flags, stamped.command.kind().number()]);
    write_time(out, stamped.stamp);
    if let Some(correlation) = stamped.correlation {
        write_id(out, correlation);
    }
    if let Some(key) = &stamped.key {
        write_key(out, key);
    }
    write_body_only(out, &stamped.command);
    if let Some(operator) = operator_of(&stamped.command) {
        write_time(out, operator.valid_until);
        out.extend_from_slice(&operator.signature);
    }
}

fn write_key(out: &mut Vec<u8>, key: &Key) {
    out.extend_from_slice(&key.key_hash);
    out.extend_from_slice(&key.body_hash);
    if let KeyOrigin::Gateway { valid_until } = key.origin {
        write_time(out, valid_until);
    }
    if let Some(text) = &key.text {
        write_text(out, text.as_str());
    }
}

/// Type and body of a command, without stamp, key and approval.
pub(crate) fn write_body(out: &mut Vec<u8>, command: &Command) {
    out.push(command.kind().number());
    write_body_only(out, command);
}

impl Command {
    /// Type and body, without stamp, key and approval: what an idempotency key's hash covers.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        write_body(&mut out, self);
        out
    }
}

const fn operator_of(command: &Command) -> Option<&Operator> {
    match command {
        Command::ListAsset(_, operator)
        | Command::ListMarket(_, operator)
        | Command::SetAccountStatus(_, operator) => Some(operator),
        _ => None,
    }
}

fn write_body_only(out: &mut Vec<u8>, command: &Command) {
    match command {
        Command::Genesis(genesis) => write_genesis(out, genesis),
        Command::Tick => {}
        Command::LeaderChanged { term, leader } => {
            write_u64(out, *term);
            write_text(out, leader.as_str());
        }
        Command::RecordStateHash { at_sequence, state_hash } => {
            write_u64(out, *at_sequence);
            out.extend_from_slice(state_hash);
        }
        Command::RecordSnapshot { snapshot_sequence, snapshot_timestamp, checksum } => {
            write_u64(out, *snapshot_sequence);
            write_time(out, *snapshot_timestamp);
            out.extend_from_slice(checksum);
        }
        Command::RecordClockStatus { from, to, skew } => {
            out.extend_from_slice(&[from.number(), to.number()]);
            write_amount(out, *skew);
        }
        Command::ListAsset(terms, _) => write_asset(out, terms),
        Command::ListMarket(terms, _) => write_market(out, terms),
        Command::CreateAccount(opening) => write_opening(out, opening),
        Command::SetAccountStatus(change, _) => write_status(out, change),
        Command::Deposit(entry) | Command::Withdraw(entry) => write_entry(out, entry),
        Command::PlaceOrder(request) => write_order(out, request),
        Command::CancelOrder(cancel) => {
            write_id(out, cancel.account);
            write_id(out, cancel.order);
            write_option(out, cancel.state_seq, write_u64);
        }
    }
}

/// Reads the stored form of the command with number `sequence`.
///
/// # Errors
/// `Unknown` for another format or a type that this version does not open, otherwise what is wrong
/// with the bytes.
pub fn decode_command(bytes: &[u8], sequence: u64) -> Result<Stamped, DecodeError> {
    let mut reader = Reader::new(bytes);
    let [format, flags, kind] = reader.array()?;
    if format != COMMAND_FORMAT || flags >= FLAGS_END {
        return Err(DecodeError::Unknown);
    }
    if flags & KEYED == 0 && flags & (GATEWAY_KEY | KEY_TEXT) != 0 {
        return Err(DecodeError::BadTag);
    }
    let kind = CommandKind::from_number(kind).ok_or(DecodeError::Unknown)?;
    let stamp = reader.time()?;
    let correlation = if flags & CORRELATED != 0 { Some(reader.id()?) } else { None };
    let key = if flags & KEYED != 0 { Some(read_key(&mut reader, flags)?) } else { None };
    let command = read_body(&mut reader, kind)?;
    reader.end()?;
    let fallback_clock = flags & FALLBACK_CLOCK != 0;
    Ok(Stamped { sequence, stamp, fallback_clock, correlation, key, command })
}

fn read_key(reader: &mut Reader<'_>, flags: u8) -> Result<Key, DecodeError> {
    let (key_hash, body_hash) = (reader.array()?, reader.array()?);
    let origin = if flags & GATEWAY_KEY != 0 {
        KeyOrigin::Gateway { valid_until: reader.time()? }
    } else {
        KeyOrigin::Client
    };
    let text = if flags & KEY_TEXT != 0 { Some(reader.label()?) } else { None };
    Ok(Key { key_hash, body_hash, origin, text })
}

fn read_operator(reader: &mut Reader<'_>) -> Result<Operator, DecodeError> {
    Ok(Operator { valid_until: reader.time()?, signature: reader.array()? })
}

fn read_body(reader: &mut Reader<'_>, kind: CommandKind) -> Result<Command, DecodeError> {
    use CommandKind as K;
    Ok(match kind {
        K::Genesis => Command::Genesis(read_genesis(reader)?),
        K::Tick => Command::Tick,
        K::LeaderChanged => Command::LeaderChanged { term: reader.u64()?, leader: reader.label()? },
        K::RecordStateHash => {
            Command::RecordStateHash { at_sequence: reader.u64()?, state_hash: reader.array()? }
        }
        K::RecordSnapshot => Command::RecordSnapshot {
            snapshot_sequence: reader.u64()?,
            snapshot_timestamp: reader.time()?,
            checksum: reader.array()?,
        },
        K::RecordClockStatus => Command::RecordClockStatus {
            from: tag(reader, crate::ClockStatus::from_number)?,
            to: tag(reader, crate::ClockStatus::from_number)?,
            skew: reader.amount()?,
        },
        K::ListAsset => Command::ListAsset(read_asset(reader)?, read_operator(reader)?),
        K::ListMarket => Command::ListMarket(read_market(reader)?, read_operator(reader)?),
        K::CreateAccount => Command::CreateAccount(read_opening(reader)?),
        K::SetAccountStatus => {
            Command::SetAccountStatus(read_status(reader)?, read_operator(reader)?)
        }
        K::Deposit => Command::Deposit(read_entry(reader)?),
        K::Withdraw => Command::Withdraw(read_entry(reader)?),
        K::PlaceOrder => Command::PlaceOrder(read_order(reader)?),
        K::CancelOrder => Command::CancelOrder(CancelOrder {
            account: reader.id()?,
            order: reader.id()?,
            state_seq: reader.option(Reader::u64)?,
        }),
        _ => return Err(DecodeError::Unknown),
    })
}

/// Reads one byte as a value of an enumeration.
pub(crate) fn tag<T>(
    reader: &mut Reader<'_>,
    from_number: impl FnOnce(u8) -> Option<T>,
) -> Result<T, DecodeError> {
    from_number(reader.u8()?).ok_or(DecodeError::BadTag)
}

pub(crate) fn write_genesis(out: &mut Vec<u8>, genesis: &Genesis) {
    write_id(out, genesis.venue_id);
    write_u64(out, u64::from(genesis.shard));
    out.extend_from_slice(&genesis.operator_key);
    write_u64(out, genesis.key_count_max);
    write_tiers(out, &genesis.fee_tiers);
}

pub(crate) fn read_genesis(reader: &mut Reader<'_>) -> Result<Genesis, DecodeError> {
    Ok(Genesis {
        venue_id: reader.id()?,
        shard: u16::try_from(reader.u64()?).map_err(|_| DecodeError::BadNumber)?,
        operator_key: reader.array()?,
        key_count_max: reader.u64()?,
        fee_tiers: read_tiers(reader)?,
    })
}

impl Genesis {
    /// The bytes that the configuration hash covers.
    #[must_use]
    pub fn configuration(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_genesis(&mut out, self);
        out
    }
}

fn write_tiers(out: &mut Vec<u8>, tiers: &[FeeTier]) {
    write_u64(out, tiers.len() as u64);
    for tier in tiers {
        write_amount(out, tier.above);
        write_i64(out, tier.maker.0);
        write_i64(out, tier.taker.0);
    }
}

fn read_tiers(reader: &mut Reader<'_>) -> Result<Vec<FeeTier>, DecodeError> {
    reader.list(limits::FEE_TIER_COUNT_MAX, |reader| {
        Ok(FeeTier { above: reader.amount()?, maker: reader.rate()?, taker: reader.rate()? })
    })
}

pub(crate) fn write_asset(out: &mut Vec<u8>, terms: &AssetTerms) {
    write_text(out, terms.symbol.as_str());
    write_text(out, terms.name.as_str());
    out.extend_from_slice(&[terms.decimals, u8::from(terms.is_collateral)]);
    write_i64(out, terms.collateral_weight.0);
    write_u64(out, terms.networks.len() as u64);
    for network in &terms.networks {
        write_text(out, network.network.as_str());
        write_amount(out, network.min_withdrawal);
        write_amount(out, network.withdrawal_fee);
        write_u64(out, u64::from(network.confirmations));
        out.extend_from_slice(&[
            u8::from(network.deposits_open),
            u8::from(network.withdrawals_open),
        ]);
    }
}

pub(crate) fn read_asset(reader: &mut Reader<'_>) -> Result<AssetTerms, DecodeError> {
    Ok(AssetTerms {
        symbol: reader.label()?,
        name: reader.label()?,
        decimals: reader.u8()?,
        is_collateral: reader.flag()?,
        collateral_weight: reader.rate()?,
        networks: reader.list(limits::NETWORK_COUNT_MAX, |reader| {
            Ok(NetworkTerms {
                network: reader.label()?,
                min_withdrawal: reader.amount()?,
                withdrawal_fee: reader.amount()?,
                confirmations: reader.u32()?,
                deposits_open: reader.flag()?,
                withdrawals_open: reader.flag()?,
            })
        })?,
    })
}

pub(crate) fn write_market(out: &mut Vec<u8>, terms: &MarketTerms) {
    write_text(out, terms.symbol.as_str());
    out.push(terms.kind.number());
    write_text(out, terms.base.as_str());
    write_text(out, terms.quote.as_str());
    write_amount(out, terms.tick_size);
    write_amount(out, terms.lot_size);
    for bound in [terms.min_price.0, terms.max_price.0, terms.min_quantity.0, terms.max_quantity.0]
    {
        write_u64(out, bound);
    }
    out.push(terms.matching.number());
    write_i64(out, terms.protection_bound.0);
    write_u64(out, u64::from(terms.open_orders_max));
    write_tiers(out, &terms.fee_tiers);
    write_option(out, terms.post_only_until, write_time);
}

pub(crate) fn read_market(reader: &mut Reader<'_>) -> Result<MarketTerms, DecodeError> {
    Ok(MarketTerms {
        symbol: reader.label()?,
        kind: tag(reader, crate::MarketKind::from_number)?,
        base: reader.label()?,
        quote: reader.label()?,
        tick_size: reader.amount()?,
        lot_size: reader.amount()?,
        min_price: reader.ticks()?,
        max_price: reader.ticks()?,
        min_quantity: reader.lots()?,
        max_quantity: reader.lots()?,
        matching: tag(reader, crate::Matching::from_number)?,
        protection_bound: reader.rate()?,
        open_orders_max: reader.u32()?,
        fee_tiers: read_tiers(reader)?,
        post_only_until: reader.option(Reader::time)?,
    })
}

pub(crate) fn write_opening(out: &mut Vec<u8>, opening: &AccountOpening) {
    out.push(opening.account_type.number());
    write_text(out, opening.external_id.as_str());
    write_option(out, opening.owner_id, write_id);
    write_text(out, opening.jurisdiction.as_str());
    out.extend_from_slice(&[
        opening.kyc_tier,
        opening.risk_tier.number(),
        opening.order_tier.number(),
        opening.api_class.number(),
    ]);
    write_u64(out, opening.metadata.len() as u64);
    for (key, value) in &opening.metadata {
        write_text(out, key.as_str());
        write_text(out, value.as_str());
    }
}

pub(crate) fn read_opening(reader: &mut Reader<'_>) -> Result<AccountOpening, DecodeError> {
    Ok(AccountOpening {
        account_type: tag(reader, crate::AccountType::from_number)?,
        external_id: reader.label()?,
        owner_id: reader.option(Reader::id)?,
        jurisdiction: reader.label()?,
        kyc_tier: reader.u8()?,
        risk_tier: tag(reader, crate::RiskTier::from_number)?,
        order_tier: tag(reader, crate::OrderTier::from_number)?,
        api_class: tag(reader, crate::ApiClass::from_number)?,
        metadata: reader
            .list(limits::METADATA_COUNT_MAX, |reader| Ok((reader.label()?, reader.label()?)))?,
    })
}

fn write_status(out: &mut Vec<u8>, change: &StatusChange) {
    write_id(out, change.account);
    out.push(change.to.number());
    write_text(out, change.reason.as_str());
    write_text(out, change.actor.as_str());
}

fn read_status(reader: &mut Reader<'_>) -> Result<StatusChange, DecodeError> {
    Ok(StatusChange {
        account: reader.id()?,
        to: tag(reader, crate::AccountStatus::from_number)?,
        reason: reader.label()?,
        actor: reader.label()?,
    })
}

fn write_entry(out: &mut Vec<u8>, entry: &LedgerEntry) {
    write_id(out, entry.account);
    match &entry.asset {
        AssetRef::Listed(number) => {
            out.push(0);
            write_u64(out, u64::from(*number));
        }
        AssetRef::Unknown(text) => {
            out.push(1);
            write_text(out, text.as_str());
        }
    }
    write_amount(out, entry.amount);
    write_id(out, entry.reference);
}

fn read_entry(reader: &mut Reader<'_>) -> Result<LedgerEntry, DecodeError> {
    Ok(LedgerEntry {
        account: reader.id()?,
        asset: if reader.flag()? {
            AssetRef::Unknown(reader.label()?)
        } else {
            AssetRef::Listed(reader.u32()?)
        },
        amount: reader.amount()?,
        reference: reader.id()?,
    })
}

/// Side, type, time in force and flags of an order in one byte.
pub(crate) fn order_style(request: &OrderStyle) -> u8 {
    u8::from(request.side == Side::Sell)
        | request.order_type.number() << 1
        | request.time_in_force.number() << 2
        | u8::from(request.post_only) << 4
        | u8::from(request.reduce_only) << 5
        | request.self_trade.number() << 6
}

/// What `order_style` packs.
pub(crate) struct OrderStyle {
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) post_only: bool,
    pub(crate) reduce_only: bool,
    pub(crate) self_trade: SelfTrade,
}

/// What a style byte says. Every byte is a style: each field fills its bits.
pub(crate) fn read_style(style: u8) -> Result<OrderStyle, DecodeError> {
    Ok(OrderStyle {
        side: if style & 1 == 0 { Side::Buy } else { Side::Sell },
        order_type: OrderType::from_number(style >> 1 & 1).ok_or(DecodeError::BadTag)?,
        time_in_force: TimeInForce::from_number(style >> 2 & 3).ok_or(DecodeError::BadTag)?,
        post_only: style >> 4 & 1 == 1,
        reduce_only: style >> 5 & 1 == 1,
        self_trade: SelfTrade::from_number(style >> 6).ok_or(DecodeError::BadTag)?,
    })
}

const HAS_PRICE: u8 = 1;
const HAS_CLIENT_ID: u8 = 1 << 1;
const HAS_EXPIRY: u8 = 1 << 2;
const HAS_TRIGGER: u8 = 1 << 3;
const HAS_OCO: u8 = 1 << 4;
const HAS_POSITION_SIDE: u8 = 1 << 5;
const SYMBOL_UNKNOWN: u8 = 1 << 6;
const HAS_END: u8 = 1 << 7;

fn write_order(out: &mut Vec<u8>, request: &OrderRequest) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(order_style(&OrderStyle {
        side: request.side,
        order_type: request.order_type,
        time_in_force: request.time_in_force,
        post_only: request.post_only,
        reduce_only: request.reduce_only,
        self_trade: request.self_trade,
    }));
    out.push(
        flag(request.price.is_some(), HAS_PRICE)
            | flag(request.client_order_id.is_some(), HAS_CLIENT_ID)
            | flag(request.expire_at.is_some(), HAS_EXPIRY)
            | flag(request.trigger.is_some(), HAS_TRIGGER)
            | flag(request.oco_with.is_some(), HAS_OCO)
            | flag(request.position_side.is_some(), HAS_POSITION_SIDE)
            | flag(matches!(request.symbol, SymbolRef::Unknown(_)), SYMBOL_UNKNOWN),
    );
    write_id(out, request.account);
    match &request.symbol {
        SymbolRef::Listed(number) => write_u64(out, u64::from(*number)),
        SymbolRef::Unknown(text) => write_text(out, text.as_str()),
    }
    write_amount(out, request.quantity);
    if let Some(price) = request.price {
        write_amount(out, price);
    }
    if let Some(id) = &request.client_order_id {
        write_text(out, id.as_str());
    }
    if let Some(time) = request.expire_at {
        write_time(out, time);
    }
    if let Some(trigger) = &request.trigger {
        write_trigger(out, trigger);
    }
    if let Some(other) = request.oco_with {
        write_id(out, other);
    }
    if let Some(side) = request.position_side {
        out.push(side.number());
    }
}

pub(crate) fn write_trigger(out: &mut Vec<u8>, trigger: &Trigger) {
    out.extend_from_slice(&[trigger.kind.number(), trigger.source.number()]);
    write_amount(out, trigger.price);
}

pub(crate) fn read_trigger(reader: &mut Reader<'_>) -> Result<Trigger, DecodeError> {
    Ok(Trigger {
        kind: tag(reader, crate::TriggerKind::from_number)?,
        source: tag(reader, crate::TriggerSource::from_number)?,
        price: reader.amount()?,
    })
}

fn read_order(reader: &mut Reader<'_>) -> Result<OrderRequest, DecodeError> {
    let [style, has] = reader.array()?;
    if has >= HAS_END {
        return Err(DecodeError::BadTag);
    }
    let style = read_style(style)?;
    let account = reader.id()?;
    let symbol = if has & SYMBOL_UNKNOWN != 0 {
        SymbolRef::Unknown(reader.label()?)
    } else {
        SymbolRef::Listed(reader.u32()?)
    };
    let quantity = reader.amount()?;
    Ok(OrderRequest {
        account,
        symbol,
        quantity,
        side: style.side,
        order_type: style.order_type,
        time_in_force: style.time_in_force,
        post_only: style.post_only,
        reduce_only: style.reduce_only,
        self_trade: style.self_trade,
        price: present(reader, has & HAS_PRICE, Reader::amount)?,
        client_order_id: present(reader, has & HAS_CLIENT_ID, Reader::label)?,
        expire_at: present(reader, has & HAS_EXPIRY, Reader::time)?,
        trigger: present(reader, has & HAS_TRIGGER, read_trigger)?,
        oco_with: present(reader, has & HAS_OCO, Reader::id)?,
        position_side: present(reader, has & HAS_POSITION_SIDE, |reader| {
            tag(reader, PositionSide::from_number)
        })?,
    })
}

/// A value whose presence a bit announced.
pub(crate) fn present<'a, T>(
    reader: &mut Reader<'a>,
    bit: u8,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if bit == 0 { Ok(None) } else { read(reader).map(Some) }
}
