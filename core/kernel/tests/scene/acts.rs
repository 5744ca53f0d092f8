//! What is done in a scene: one line, one command.

use schema::{ClockStatus, HaltReason, SelfTrade, TimeInForce, TriggerKind};
use units::{Amount, Side};

use super::operator::{self, OperatorAct};
use super::parse::Fault;
use super::words::Words;

/// One command, in the scene's names.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Tick,
    /// What the sequencer gives itself because of its clock.
    Sequencer(SequencerAct),
    /// A change by the operator; unsigned when a stranger tries it.
    Operator {
        act: OperatorAct,
        signed: bool,
    },
    /// A command of an account.
    Account {
        account: String,
        act: AccountAct,
        key: Option<KeyWords>,
        version: Option<VersionWords>,
    },
}

/// The sequencer's own commands that a clock calls for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SequencerAct {
    Halt(HaltReason),
    Clock { from: ClockStatus, to: ClockStatus },
}

/// The account version that a command expects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum VersionWords {
    Current,
    Stale,
}

/// An idempotency key.
#[derive(Clone, Debug)]
pub(crate) struct KeyWords {
    pub(crate) name: String,
    /// Made by the gateway, until this time of the scene.
    pub(crate) until: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) enum AccountAct {
    Place { name: String, order: OrderWords },
    Cancel { order: String, state_seq: Option<SeqWords> },
    Reduce { order: String, to: Amount, state_seq: Option<SeqWords> },
    Replace { order: String, name: String, with: OrderWords, state_seq: Option<SeqWords> },
    CancelAll { symbol: Option<String> },
    Countdown { timeout: u64 },
    Deposit { amount: Amount, asset: String },
    Withdraw { amount: Amount, asset: String },
    Transfer { amount: Amount, asset: String, to: String },
}

/// The `state_seq` that a command expects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SeqWords {
    Current,
    /// That of its acceptance.
    First,
    Stale,
}

#[derive(Clone, Debug)]
pub(crate) struct OrderWords {
    pub(crate) side: Side,
    pub(crate) quantity: Amount,
    pub(crate) by_quote: bool,
    pub(crate) market_order: bool,
    pub(crate) price: Option<Amount>,
    pub(crate) time_in_force: Option<TimeInForce>,
    pub(crate) until: Option<i64>,
    pub(crate) post_only: bool,
    pub(crate) reduce_only: bool,
    pub(crate) long: bool,
    pub(crate) self_trade: SelfTrade,
    pub(crate) trigger: Option<(TriggerKind, Amount)>,
    pub(crate) by_mark: bool,
    pub(crate) oco_with: Option<String>,
    pub(crate) symbol: Option<String>,
}

/// Reads a command.
pub(crate) fn read(words: &mut Words) -> Result<Act, Fault> {
    let actor = words.word("a command")?;
    if actor == "tick" {
        return Ok(Act::Tick);
    }
    let Some(actor) = actor.strip_suffix(':') else {
        return words.fault(format!("unknown word `{actor}`"));
    };
    if actor == "sequencer" {
        return Ok(Act::Sequencer(read_sequencer_act(words)?));
    }
    if matches!(actor, "operator" | "stranger") {
        let act = operator::read(words)?;
        return Ok(Act::Operator { act, signed: actor == "operator" });
    }
    let act = read_account_act(words)?;
    let key = read_key(words)?;
    let version = read_version(words)?;
    Ok(Act::Account { account: actor.to_owned(), act, key, version })
}

fn read_sequencer_act(words: &mut Words) -> Result<SequencerAct, Fault> {
    match words.word("what the sequencer does")? {
        "halt" => Ok(SequencerAct::Halt(operator::read_reason(words)?)),
        "clock" => {
            let from = read_status(words)?;
            words.expect("to")?;
            Ok(SequencerAct::Clock { from, to: read_status(words)? })
        }
        other => words.fault(format!("unknown word `{other}`")),
    }
}

fn read_status(words: &mut Words) -> Result<ClockStatus, Fault> {
    let word = words.word("a source of time")?;
    match ClockStatus::from_name(word) {
        Some(status) => Ok(status),
        None => words.fault(format!("unknown word `{word}`")),
    }
}

fn read_account_act(words: &mut Words) -> Result<AccountAct, Fault> {
    let verb = words.word("what the account does")?;
    let name = |words: &mut Words, what| words.word(what).map(str::to_owned);
    Ok(match verb {
        "cancel" if words.take("all") => {
            let symbol = words.take("in").then(|| name(words, "the symbol")).transpose()?;
            AccountAct::CancelAll { symbol }
        }
        "cancel" => {
            let order = name(words, "the order")?;
            AccountAct::Cancel { order, state_seq: read_seq(words)? }
        }
        "reduce" => {
            let order = name(words, "the order")?;
            words.expect("to")?;
            let to = words.amount("the new quantity")?;
            AccountAct::Reduce { order, to, state_seq: read_seq(words)? }
        }
        "replace" => {
            let order = name(words, "the order")?;
            let state_seq = read_seq(words)?;
            words.expect("with")?;
            let new = name(words, "the new order")?;
            words.expect("=")?;
            AccountAct::Replace { order, name: new, with: read_order(words)?, state_seq }
        }
        "countdown" if words.take("off") => AccountAct::Countdown { timeout: 0 },
        "countdown" => {
            let timeout = u64::try_from(words.time("the timeout")?).unwrap_or(u64::MAX);
            AccountAct::Countdown { timeout }
        }
        "deposit" => {
            let amount = words.amount("the amount")?;
            AccountAct::Deposit { amount, asset: name(words, "the asset")? }
        }
        "withdraw" => {
            let amount = words.amount("the amount")?;
            AccountAct::Withdraw { amount, asset: name(words, "the asset")? }
        }
        "transfer" => {
            let amount = words.amount("the amount")?;
            let asset = name(words, "the asset")?;
            words.expect("to")?;
            AccountAct::Transfer { amount, asset, to: name(words, "the receiver")? }
        }
        order if words.peek() == Some("=") => {
            words.next();
            AccountAct::Place { name: order.to_owned(), order: read_order(words)? }
        }
        other => return words.fault(format!("unknown word `{other}`")),
    })
}

fn read_seq(words: &mut Words) -> Result<Option<SeqWords>, Fault> {
    if !words.take("expecting") {
        return Ok(None);
    }
    match words.word("what is expected")? {
        "current" => Ok(Some(SeqWords::Current)),
        "first" => Ok(Some(SeqWords::First)),
        "stale" => Ok(Some(SeqWords::Stale)),
        other => words.fault(format!("unknown word `{other}`")),
    }
}

fn read_version(words: &mut Words) -> Result<Option<VersionWords>, Fault> {
    if !words.take("at-version") {
        return Ok(None);
    }
    match words.word("the version")? {
        "current" => Ok(Some(VersionWords::Current)),
        "stale" => Ok(Some(VersionWords::Stale)),
        other => words.fault(format!("unknown word `{other}`")),
    }
}

fn read_key(words: &mut Words) -> Result<Option<KeyWords>, Fault> {
    let until = match words.peek() {
        Some("key") => false,
        Some("gateway-key") => true,
        _ => return Ok(None),
    };
    words.next();
    let name = words.word("the key")?.to_owned();
    let until = until
        .then(|| words.expect("until").and_then(|()| words.time("the key's end")))
        .transpose()?;
    Ok(Some(KeyWords { name, until }))
}

fn read_order(words: &mut Words) -> Result<OrderWords, Fault> {
    let side = match words.word("buy or sell")? {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        other => return words.fault(format!("unknown word `{other}`")),
    };
    let by_quote = words.take("worth");
    let mut order = OrderWords {
        side,
        quantity: words.amount("the quantity")?,
        by_quote,
        market_order: false,
        price: None,
        time_in_force: None,
        until: None,
        post_only: false,
        reduce_only: false,
        long: false,
        self_trade: SelfTrade::CancelIncoming,
        trigger: None,
        by_mark: false,
        oco_with: None,
        symbol: None,
    };
    while let Some(word) = words.peek() {
        if matches!(word, "key" | "gateway-key" | "at-version") {
            break;
        }
        words.next();
        read_flag(&mut order, word, words)?;
    }
    Ok(order)
}

fn read_flag(order: &mut OrderWords, word: &str, words: &mut Words) -> Result<(), Fault> {
    match word {
        "@" => order.price = Some(words.amount("the price")?),
        "market" => order.market_order = true,
        "gtc" => order.time_in_force = Some(TimeInForce::Gtc),
        "ioc" => order.time_in_force = Some(TimeInForce::Ioc),
        "fok" => order.time_in_force = Some(TimeInForce::Fok),
        "gtd" => order.time_in_force = Some(TimeInForce::Gtd),
        "until" => order.until = Some(words.time("the end")?),
        "post-only" => order.post_only = true,
        "reduce-only" => order.reduce_only = true,
        "long" => order.long = true,
        "cancel-incoming" => order.self_trade = SelfTrade::CancelIncoming,
        "cancel-resting" => order.self_trade = SelfTrade::CancelResting,
        "cancel-both" => order.self_trade = SelfTrade::CancelBoth,
        "decrement-both" => order.self_trade = SelfTrade::DecrementBoth,
        "stop" => order.trigger = Some((TriggerKind::Stop, words.amount("the trigger")?)),
        "take-profit" => {
            order.trigger = Some((TriggerKind::TakeProfit, words.amount("the trigger")?));
        }
        "by-mark" => order.by_mark = true,
        "oco" => order.oco_with = Some(words.word("the other order")?.to_owned()),
        "in" => order.symbol = Some(words.word("the symbol")?.to_owned()),
        other => return words.fault(format!("unknown word `{other}`")),
    }
    Ok(())
}
