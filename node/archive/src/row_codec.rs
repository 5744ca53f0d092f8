//! The stored form of rows (`docs/formats/archive.md`), from the primitives of `schema::wire`.
//!
//! A row is written and read by the two functions of its type and nowhere else. Sequences and times of
//! a row are written as what lies between them and those of its key or beginning, which is short.

use journal::EventEnd;
use schema::wire::{
    DecodeError, Reader, write_amount, write_i64, write_id, write_label, write_option, write_time,
    write_u64,
};
use schema::{
    Bucket, Code, Detail, Event, EventHead, EventKind, ExpiryReason, OrderState, Outcome, Payload,
    Reference, Refusal, Reply, UpdateReason, Why, decode_payload,
};
use units::{Side, Timestamp};

use crate::row::{
    BalanceRow, EntryRow, MarketRow, OrderRow, Position, PostingRow, Step, TRADE_COUNT_INLINE,
    TradeRow, TradeSide,
};

/// What reading a row answers.
type Read<T> = Result<T, DecodeError>;

impl Position {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = vec![ARCHIVE_FORMAT];
        write_u64(&mut out, self.end.command_sequence);
        write_u64(&mut out, self.end.event_sequence);
        out.extend_from_slice(&self.end.hash);
        write_time(&mut out, self.timestamp);
        write_u64(&mut out, u64::from(self.shard));
        write_u64(&mut out, u64::from(self.account_count));
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Read<Self> {
        if reader.u8()? != ARCHIVE_FORMAT {
            return Err(DecodeError::Unknown);
        }
        let (command_sequence, event_sequence) = (reader.u64()?, reader.u64()?);
        let end = EventEnd { command_sequence, event_sequence, hash: reader.array()? };
        let timestamp = reader.time()?;
        let shard = u16::try_from(reader.u64()?).map_err(|_| DecodeError::BadNumber)?;
        Ok(Self { end, timestamp, shard, account_count: reader.u32()? })
    }
}

impl OrderRow {
    /// The row of the order with this sequence.
    pub(crate) fn write(&self, sequence: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(ORDER_SIZE_USUAL);
        let since = |time: Timestamp| time.0.wrapping_sub(self.created_at.0);
        write_time(&mut out, self.created_at);
        self.submitted.write(&mut out, sequence);
        write_option(&mut out, self.account, |out, account| write_u64(out, u64::from(account)));
        write_u64(&mut out, self.total.0);
        write_u64(&mut out, self.filled.0);
        write_u64(&mut out, u64::try_from(self.units >> 64).unwrap_or(u64::MAX));
        write_u64(&mut out, u64::try_from(self.units & u128::from(u64::MAX)).unwrap_or(u64::MAX));
        write_amount(&mut out, self.fees);
        write_amount(&mut out, self.reserved);
        out.push(self.state.map_or(NO_STATE, OrderState::number));
        out.push(self.prev_state.map_or(NO_STATE, OrderState::number));
        write_option(&mut out, self.reason, |out, code| out.push(code.number()));
        write_option(&mut out, self.expiry, |out, reason| out.push(reason.number()));
        write_u64(&mut out, self.state_seq.wrapping_sub(sequence));
        write_i64(&mut out, since(self.state_changed_at));
        write_u64(&mut out, self.steps.len() as u64);
        for step in &self.steps {
            out.push(step.kind.number());
            write_u64(&mut out, step.at.sequence.wrapping_sub(sequence));
            write_i64(&mut out, since(step.at.timestamp));
        }
        write_u64(&mut out, self.trades.len() as u64);
        let mut before = sequence;
        for &trade in &self.trades {
            write_u64(&mut out, trade.wrapping_sub(before));
            before = trade;
        }
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>, sequence: u64) -> Read<Self> {
        let created_at = reader.time()?;
        let submitted = decode_payload(reader, EventKind::OrderSubmitted, sequence)?;
        let Event::OrderSubmitted(submitted) = submitted else { return Err(DecodeError::BadTag) };
        let mut row = Self {
            account: reader.option(Reader::u32)?,
            total: reader.lots()?,
            filled: reader.lots()?,
            units: u128::from(reader.u64()?) << 64 | u128::from(reader.u64()?),
            fees: reader.amount()?,
            reserved: reader.amount()?,
            state: read_state(reader)?,
            prev_state: read_state(reader)?,
            reason: reader.option(|reader| reader.tag(Code::from_number))?,
            expiry: reader.option(|reader| reader.tag(ExpiryReason::from_number))?,
            ..Self::submitted(EventHead { sequence, timestamp: created_at }, &submitted, None)
        };
        row.state_seq = sequence.wrapping_add(reader.u64()?);
        row.state_changed_at = later(created_at, reader)?;
        row.steps = reader.list(STEP_COUNT_MAX, |reader| {
            let kind = reader.tag(EventKind::from_number)?;
            let sequence = sequence.wrapping_add(reader.u64()?);
            Ok(Step { kind, at: EventHead { sequence, timestamp: later(created_at, reader)? } })
        })?;
        let mut before = sequence;
        row.trades = reader.list(TRADE_COUNT_INLINE, |reader| {
            before = before.wrapping_add(reader.u64()?);
            Ok(before)
        })?;
        Ok(row)
    }
}

impl TradeRow {
    /// The row of the trade with this sequence.
    pub(crate) fn write(&self, sequence: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(TRADE_SIZE_USUAL);
        write_time(&mut out, self.executed_at);
        write_u64(&mut out, u64::from(self.market));
        for side in [&self.maker, &self.taker] {
            write_u64(&mut out, sequence.wrapping_sub(side.order));
            write_i64(&mut out, self.executed_at.0.wrapping_sub(side.created_at.0));
            write_u64(&mut out, u64::from(side.account));
            write_amount(&mut out, side.fee);
        }
        out.push(u8::from(self.side == Side::Sell));
        write_u64(&mut out, self.ticks.0);
        write_u64(&mut out, self.lots.0);
        write_option(&mut out, self.settled, |out, at| {
            write_u64(out, at.sequence.wrapping_sub(sequence));
            write_i64(out, at.timestamp.0.wrapping_sub(self.executed_at.0));
        });
        write_i64(&mut out, self.posted_at.0.wrapping_sub(self.executed_at.0));
        out.push(self.reason.number());
        write_postings(&mut out, &self.postings, sequence);
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>, sequence: u64) -> Read<Self> {
        let executed_at = reader.time()?;
        let market = reader.u32()?;
        let side = |reader: &mut Reader<'_>| {
            Ok(TradeSide {
                order: sequence.wrapping_sub(reader.u64()?),
                created_at: Timestamp(executed_at.0.wrapping_sub(reader.i64()?)),
                account: reader.u32()?,
                fee: reader.amount()?,
            })
        };
        Ok(Self {
            executed_at,
            market,
            maker: side(reader)?,
            taker: side(reader)?,
            side: if reader.flag()? { Side::Sell } else { Side::Buy },
            ticks: reader.ticks()?,
            lots: reader.lots()?,
            settled: reader.option(|reader| {
                let sequence = sequence.wrapping_add(reader.u64()?);
                Ok(EventHead { sequence, timestamp: later(executed_at, reader)? })
            })?,
            posted_at: later(executed_at, reader)?,
            reason: reader.tag(UpdateReason::from_number)?,
            postings: read_postings(reader, sequence)?,
        })
    }
}

impl EntryRow {
    /// The row of the BalanceUpdated with this sequence.
    pub(crate) fn write(&self, sequence: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(ENTRY_SIZE_USUAL);
        write_time(&mut out, self.at);
        out.push(self.reason.number());
        match self.reference {
            Reference::Event(event) => {
                out.push(1);
                write_u64(&mut out, sequence.wrapping_sub(event));
            }
            Reference::Outside(id) => {
                out.push(0);
                write_id(&mut out, id);
            }
        }
        write_postings(&mut out, &self.postings, sequence);
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>, sequence: u64) -> Read<Self> {
        Ok(Self {
            at: reader.time()?,
            reason: reader.tag(UpdateReason::from_number)?,
            reference: if reader.flag()? {
                Reference::Event(sequence.wrapping_sub(reader.u64()?))
            } else {
                Reference::Outside(reader.id()?)
            },
            postings: read_postings(reader, sequence)?,
        })
    }
}

impl BalanceRow {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ENTRY_SIZE_USUAL);
        write_amount(&mut out, self.available);
        write_amount(&mut out, self.locked);
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self { available: reader.amount()?, locked: reader.amount()? })
    }
}

impl MarketRow {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_label(&mut out, &self.symbol);
        write_u64(&mut out, u64::from(self.base));
        write_u64(&mut out, u64::from(self.quote));
        write_amount(&mut out, self.tick);
        write_amount(&mut out, self.lot);
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            symbol: reader.label()?,
            base: reader.u32()?,
            quote: reader.u32()?,
            tick: reader.amount()?,
            lot: reader.amount()?,
        })
    }
}

/// The answer that a command got; `None` for one that is not kept.
pub(crate) fn write_answer(reply: &Reply) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(ENTRY_SIZE_USUAL);
    write_u64(&mut out, reply.last_event);
    match reply.outcome {
        Outcome::Done { created } => {
            out.push(0);
            write_option(&mut out, created, write_id);
        }
        Outcome::Accepted { order } => {
            out.push(1);
            write_id(&mut out, order);
        }
        Outcome::Rejected { order, refusal } => {
            out.push(2);
            write_id(&mut out, order);
            write_refusal(&mut out, &refusal);
        }
        Outcome::Refused(refusal) => {
            out.push(3);
            write_refusal(&mut out, &refusal);
        }
        _ => return None,
    }
    Some(out)
}

pub(crate) fn read_answer(reader: &mut Reader<'_>, command: u64) -> Read<Reply> {
    let last_event = reader.u64()?;
    let outcome = match reader.u8()? {
        0 => Outcome::Done { created: reader.option(Reader::id)? },
        1 => Outcome::Accepted { order: reader.id()? },
        2 => Outcome::Rejected { order: reader.id()?, refusal: read_refusal(reader)? },
        3 => Outcome::Refused(read_refusal(reader)?),
        _ => return Err(DecodeError::BadTag),
    };
    Ok(Reply { command, last_event, outcome })
}

fn write_refusal(out: &mut Vec<u8>, refusal: &Refusal) {
    out.push(refusal.code.number());
    match &refusal.detail {
        Detail::Why(why) => {
            out.push(0);
            out.push(why.number());
        }
        Detail::Balance { available, required, asset } => {
            out.push(1);
            write_amount(out, *available);
            write_amount(out, *required);
            write_label(out, asset);
        }
    }
}

fn read_refusal(reader: &mut Reader<'_>) -> Read<Refusal> {
    let code = reader.tag(Code::from_number)?;
    let detail = if reader.flag()? {
        Detail::Balance {
            available: reader.amount()?,
            required: reader.amount()?,
            asset: reader.label()?,
        }
    } else {
        Detail::Why(reader.tag(Why::from_number)?)
    };
    Ok(Refusal { code, detail })
}

fn write_postings(out: &mut Vec<u8>, postings: &[PostingRow], sequence: u64) {
    write_u64(out, postings.len() as u64);
    for posting in postings {
        write_u64(out, posting.event.wrapping_sub(sequence));
        write_u64(out, u64::from(posting.account));
        write_u64(out, u64::from(posting.asset) << 1 | u64::from(posting.bucket.number()));
        write_amount(out, posting.delta);
        write_amount(out, posting.before);
    }
}

fn read_postings(reader: &mut Reader<'_>, sequence: u64) -> Read<Vec<PostingRow>> {
    reader.list(POSTING_COUNT_MAX, |reader| {
        let event = sequence.wrapping_add(reader.u64()?);
        let account = reader.u32()?;
        let place = reader.u64()?;
        Ok(PostingRow {
            event,
            account,
            asset: u32::try_from(place >> 1).map_err(|_| DecodeError::BadNumber)?,
            bucket: if place & 1 == 0 { Bucket::Available } else { Bucket::Locked },
            delta: reader.amount()?,
            before: reader.amount()?,
        })
    })
}

fn read_state(reader: &mut Reader<'_>) -> Read<Option<OrderState>> {
    match reader.u8()? {
        NO_STATE => Ok(None),
        number => OrderState::from_number(number).map(Some).ok_or(DecodeError::BadTag),
    }
}

fn later(time: Timestamp, reader: &mut Reader<'_>) -> Read<Timestamp> {
    Ok(Timestamp(time.0.wrapping_add(reader.i64()?)))
}

/// Version of the rows; an archive of another version is made anew.
const ARCHIVE_FORMAT: u8 = 2;
/// The number of no state (P02-5).
const NO_STATE: u8 = 255;
/// Events of an order that are no fills: it is accepted, triggered, ends, and may be reduced now and then.
const STEP_COUNT_MAX: usize = 1 << 20;
/// Postings of a trade or an entry.
const POSTING_COUNT_MAX: usize = 64;
const ORDER_SIZE_USUAL: usize = 112;
const TRADE_SIZE_USUAL: usize = 192;
const ENTRY_SIZE_USUAL: usize = 48;
