//! The stored form of a command (`docs/formats/command.md`).
//!
//! One byte of format, one of flags, one of type, the stamp, what the flags announce, the body, and
//! behind an administrative body the operator's approval. The sequence is not stored: the record that
//! holds the command gives it. The body alone is what an idempotency key's hash covers and what the
//! operator signs.

use alloc::vec::Vec;

use crate::change_codec::{
    read_asset_ref, read_cancel, read_cancel_all, read_countdown, read_market_change,
    read_parameter_change, read_profile_change, read_rates_change, read_reduce, read_replace,
    read_schedule, read_transfer, write_asset_ref, write_cancel, write_cancel_all, write_countdown,
    write_market_change, write_parameter_change, write_profile_change, write_rates_change,
    write_reduce, write_replace, write_schedule, write_transfer,
};
use crate::halt::{read_halt, read_quarantine, write_halt, write_quarantine};
use crate::order_codec::{read_order, write_order};
use crate::refund::{read_refund, write_refund};
use crate::terms_codec::{
    read_asset, read_genesis, read_market, read_opening, write_asset, write_genesis, write_market,
    write_opening,
};
use crate::wire::{
    DecodeError, Reader, write_amount, write_id, write_label, write_time, write_u64,
};
use crate::{
    AccountStatus, ClockStatus, Command, CommandKind, Key, KeyOrigin, LedgerEntry, Operator,
    Stamped, StatusChange,
};

/// Format of commands that this version writes, and the only one it reads.
pub const COMMAND_FORMAT: u8 = 1;

const CORRELATED: u8 = 1;
const KEYED: u8 = 1 << 1;
const GATEWAY_KEY: u8 = 1 << 2;
const KEY_TEXT: u8 = 1 << 3;
const FALLBACK_CLOCK: u8 = 1 << 4;
const VERSIONED: u8 = 1 << 5;
const FLAGS_END: u8 = 1 << 6;

/// Appends the stored form of a command.
pub fn encode_command(out: &mut Vec<u8>, stamped: &Stamped) {
    let mut flags = 0;
    flags |= if stamped.correlation.is_some() { CORRELATED } else { 0 };
    flags |= if stamped.fallback_clock { FALLBACK_CLOCK } else { 0 };
    flags |= if stamped.account_version.is_some() { VERSIONED } else { 0 };
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
    if let Some(version) = stamped.account_version {
        write_u64(out, version);
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
        write_label(out, text);
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
        Command::Quarantine(_, operator)
        | Command::HaltTrading(_, operator)
        | Command::ResumeTrading(_, operator)
        | Command::ConfirmClock(_, operator)
        | Command::ListAsset(_, operator)
        | Command::ListMarket(_, operator)
        | Command::SetAccountStatus(_, operator)
        | Command::PauseMarket(_, operator)
        | Command::ResumeMarket(_, operator)
        | Command::SetMarketParameters(_, operator)
        | Command::SetFeeSchedule(_, operator)
        | Command::SetAccountRates(_, operator)
        | Command::RefundFee(_, operator)
        | Command::SetAccountProfile(_, operator) => Some(operator),
        _ => None,
    }
}

fn write_body_only(out: &mut Vec<u8>, command: &Command) {
    match command {
        Command::Genesis(genesis) => write_genesis(out, genesis),
        Command::Tick => {}
        Command::LeaderChanged { term, leader } => {
            write_u64(out, *term);
            write_label(out, leader);
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
        Command::Quarantine(quarantine, _) => write_quarantine(out, quarantine),
        Command::HaltTrading(halt, _) => write_halt(out, halt),
        Command::ResumeTrading(actor, _) | Command::ConfirmClock(actor, _) => {
            write_label(out, actor);
        }
        Command::ListAsset(terms, _) => write_asset(out, terms),
        Command::ListMarket(terms, _) => write_market(out, terms),
        Command::CreateAccount(opening) => write_opening(out, opening),
        Command::SetAccountStatus(change, _) => write_status(out, change),
        Command::Deposit(entry) | Command::Withdraw(entry) => write_entry(out, entry),
        Command::PlaceOrder(request) => write_order(out, request),
        Command::CancelOrder(cancel) => write_cancel(out, cancel),
        Command::Transfer(transfer) => write_transfer(out, transfer),
        Command::PauseMarket(change, _) | Command::ResumeMarket(change, _) => {
            write_market_change(out, change);
        }
        Command::SetMarketParameters(change, _) => write_parameter_change(out, change),
        Command::SetFeeSchedule(schedule, _) => write_schedule(out, schedule),
        Command::SetAccountRates(change, _) => write_rates_change(out, change),
        Command::RefundFee(refund, _) => write_refund(out, refund),
        Command::SetAccountProfile(change, _) => write_profile_change(out, change),
        Command::ReduceOrder(reduce) => write_reduce(out, reduce),
        Command::ReplaceOrder(replace) => write_replace(out, replace),
        Command::CancelAllOrders(cancel) => write_cancel_all(out, cancel),
        Command::SetCountdownCancel(countdown) => write_countdown(out, countdown),
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
    let account_version = if flags & VERSIONED != 0 { Some(reader.u64()?) } else { None };
    let command = read_body(&mut reader, kind)?;
    reader.end()?;
    let fallback_clock = flags & FALLBACK_CLOCK != 0;
    Ok(Stamped { sequence, stamp, fallback_clock, correlation, key, command, account_version })
}

#[inline]
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

#[inline]
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
            from: reader.tag(ClockStatus::from_number)?,
            to: reader.tag(ClockStatus::from_number)?,
            skew: reader.amount()?,
        },
        K::Quarantine => Command::Quarantine(read_quarantine(reader)?, read_operator(reader)?),
        K::HaltTrading => Command::HaltTrading(read_halt(reader)?, read_operator(reader)?),
        K::ResumeTrading => Command::ResumeTrading(reader.label()?, read_operator(reader)?),
        K::ConfirmClock => Command::ConfirmClock(reader.label()?, read_operator(reader)?),
        K::ListAsset => Command::ListAsset(read_asset(reader)?, read_operator(reader)?),
        K::ListMarket => Command::ListMarket(read_market(reader)?, read_operator(reader)?),
        K::CreateAccount => Command::CreateAccount(read_opening(reader)?),
        K::SetAccountStatus => {
            Command::SetAccountStatus(read_status(reader)?, read_operator(reader)?)
        }
        K::Deposit => Command::Deposit(read_entry(reader)?),
        K::Withdraw => Command::Withdraw(read_entry(reader)?),
        K::PlaceOrder => Command::PlaceOrder(read_order(reader)?),
        K::CancelOrder => Command::CancelOrder(read_cancel(reader)?),
        K::Transfer => Command::Transfer(read_transfer(reader)?),
        K::PauseMarket => Command::PauseMarket(read_market_change(reader)?, read_operator(reader)?),
        K::ResumeMarket => {
            Command::ResumeMarket(read_market_change(reader)?, read_operator(reader)?)
        }
        K::SetMarketParameters => {
            Command::SetMarketParameters(read_parameter_change(reader)?, read_operator(reader)?)
        }
        K::SetFeeSchedule => {
            Command::SetFeeSchedule(read_schedule(reader)?, read_operator(reader)?)
        }
        K::SetAccountRates => {
            Command::SetAccountRates(read_rates_change(reader)?, read_operator(reader)?)
        }
        K::RefundFee => Command::RefundFee(read_refund(reader)?, read_operator(reader)?),
        K::SetAccountProfile => {
            Command::SetAccountProfile(read_profile_change(reader)?, read_operator(reader)?)
        }
        K::ReduceOrder => Command::ReduceOrder(read_reduce(reader)?),
        K::ReplaceOrder => Command::ReplaceOrder(read_replace(reader)?),
        K::CancelAllOrders => Command::CancelAllOrders(read_cancel_all(reader)?),
        K::SetCountdownCancel => Command::SetCountdownCancel(read_countdown(reader)?),
        _ => return Err(DecodeError::Unknown),
    })
}

fn write_status(out: &mut Vec<u8>, change: &StatusChange) {
    write_id(out, change.account);
    out.push(change.to.number());
    write_label(out, &change.reason);
    write_label(out, &change.actor);
}

fn read_status(reader: &mut Reader<'_>) -> Result<StatusChange, DecodeError> {
    Ok(StatusChange {
        account: reader.id()?,
        to: reader.tag(AccountStatus::from_number)?,
        reason: reader.label()?,
        actor: reader.label()?,
    })
}

fn write_entry(out: &mut Vec<u8>, entry: &LedgerEntry) {
    write_id(out, entry.account);
    write_asset_ref(out, &entry.asset);
    write_amount(out, entry.amount);
    write_id(out, entry.reference);
}

fn read_entry(reader: &mut Reader<'_>) -> Result<LedgerEntry, DecodeError> {
    Ok(LedgerEntry {
        account: reader.id()?,
        asset: read_asset_ref(reader)?,
        amount: reader.amount()?,
        reference: reader.id()?,
    })
}
