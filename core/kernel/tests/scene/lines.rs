//! Events as lines: one short form for each, in the scene's names.
//!
//! The main events say what became of orders, rates, markets and accounts; the others are steps on the
//! way, which a scene lists only after `in full`.

use schema::{Detail, Event, EventHead, Outcome};
use units::{Amount, Side};

use super::parse::{Fault, Row};
use super::setup::BEGIN;
use super::stage::Stage;
use super::words::{Words, show_rate, show_time};

/// The words that an event's line may begin with.
const FIRST_WORDS: [&str; 34] = [
    "trade",
    "canceled",
    "expired",
    "reduced",
    "triggered",
    "rejected",
    "refused",
    "completed",
    "repeated",
    "paused",
    "resumed",
    "halted",
    "clock",
    "parameters",
    "fees",
    "rates",
    "profile",
    "transferred",
    "refunded",
    "countdown",
    "status",
    "submitted",
    "reserved",
    "accepted",
    "partly",
    "filled",
    "posted",
    "released",
    "settled",
    "account",
    "asset",
    "market",
    "repeat",
    "nothing",
];

/// Reads an expected line; `repeat 1..5` makes it many, `#` counting up, or down.
pub(crate) fn expected(line: usize, text: &str) -> Result<Vec<Row>, Fault> {
    let mut words = Words::new(line, text);
    let first = words.word("an event")?;
    if !FIRST_WORDS.contains(&first) {
        return words.fault(format!("unknown word `{first}`"));
    }
    if first == "nothing" {
        words.end()?;
        return Ok(vec![]);
    }
    if first != "repeat" {
        return Ok(vec![Row { text: text.to_owned() }]);
    }
    let range = words.word("from..to")?;
    let bounds = range.split_once("..").map(|(from, to)| (from.parse(), to.parse::<u32>()));
    let Some((Ok(from), Ok(to))) = bounds else {
        return words.fault(format!("`{range}` is no range like 1..5"));
    };
    let rest = text.splitn(3, ' ').nth(2).unwrap_or_default();
    if !rest.split_whitespace().next().is_some_and(|word| FIRST_WORDS.contains(&word)) {
        return words.fault(format!("unknown word `{rest}`"));
    }
    let indices: Vec<u32> =
        if from <= to { (from..=to).collect() } else { (to..=from).rev().collect() };
    let row = |index: u32| Row { text: rest.replace('#', &index.to_string()) };
    Ok(indices.into_iter().map(row).collect())
}

/// An event in its two forms: alone, and with figures that a scene may leave out.
pub(crate) struct Line {
    pub(crate) main: bool,
    pub(crate) short: String,
    pub(crate) long: String,
}

impl Line {
    fn main(text: String) -> Self {
        Self { main: true, long: text.clone(), short: text }
    }

    fn detail(text: String) -> Self {
        Self { main: false, long: text.clone(), short: text }
    }
}

/// What a command made, as lines.
pub(crate) fn shown(stage: &Stage) -> Vec<Line> {
    let mut lines: Vec<Line> =
        stage.venue.events.iter().map(|(head, event)| of_event(stage, *head, event)).collect();
    if let Some(Outcome::Repeated { .. }) = stage.outcome {
        lines.push(Line::main("repeated".into()));
    }
    lines
}

/// A scene time, as text.
fn when(time: units::Timestamp) -> String {
    show_time(time.0 - BEGIN.0)
}

fn of_event(stage: &Stage, head: EventHead, event: &Event) -> Line {
    match event {
        Event::OrderSubmitted(_)
        | Event::OrderAccepted(_)
        | Event::OrderRejected(_)
        | Event::OrderPartiallyFilled(_)
        | Event::OrderFilled(_)
        | Event::OrderCanceled(_)
        | Event::OrderExpired(_)
        | Event::OrderReduced(_)
        | Event::OrderTriggered(_)
        | Event::MarginReserved(_)
        | Event::MarginReleased(_) => of_order(stage, head, event),
        Event::TradeExecuted(trade) => {
            let (maker, taker) = (stage.order_name(trade.maker), stage.order_name(trade.taker));
            let market = stage.market_of(trade.maker);
            let (lots, ticks) =
                (stage.quantity(market, trade.lots), stage.price(market, trade.ticks));
            let short = format!("trade {taker} takes {maker}: {lots} @ {ticks}");
            let fees = stage.venue.events.iter().find_map(|(_, event)| match event {
                Event::TradeSettled(settled) if settled.trade == head.sequence => {
                    Some(format!(", fees {} and {}", settled.maker_fee, settled.taker_fee))
                }
                _ => None,
            });
            Line { main: true, long: format!("{short}{}", fees.unwrap_or_default()), short }
        }
        Event::TradeSettled(settled) => {
            Line::detail(format!("settled, fees {} and {}", settled.maker_fee, settled.taker_fee))
        }
        Event::BalanceUpdated(posted) => Line::detail(format!("posted {}", posted.reason.name())),
        Event::CommandRejected(refused) => {
            Line::main(format!("refused {}{}", refused.code.name(), figures(&refused.detail)))
        }
        Event::CommandCompleted(_) => Line::main("completed".into()),
        _ => of_change(stage, head, event),
    }
}

/// The figures of a refusal that has some.
fn figures(detail: &Detail) -> String {
    match detail {
        Detail::Why(_) => String::new(),
        Detail::Balance { .. } => format!(", {detail}"),
    }
}

fn of_order(stage: &Stage, head: EventHead, event: &Event) -> Line {
    let name = |sequence| stage.order_name(sequence);
    match event {
        Event::OrderSubmitted(event) => {
            let old = event.replaces.map(|old| format!(" replacing {}", name(old)));
            Line::detail(format!("submitted {}{}", name(head.sequence), old.unwrap_or_default()))
        }
        Event::OrderAccepted(event) => Line::detail(format!("accepted {}", name(event.order))),
        Event::OrderRejected(event) => {
            let (code, figures) = (event.reason.name(), figures(&event.detail));
            Line::main(format!("rejected {} {code}{figures}", name(event.order)))
        }
        Event::OrderPartiallyFilled(fill) => {
            let lots = stage.quantity(stage.market_of(fill.order), fill.lots);
            Line::detail(format!("partly {} {lots}", name(fill.order)))
        }
        Event::OrderFilled(fill) => {
            let lots = stage.quantity(stage.market_of(fill.order), fill.lots);
            Line::detail(format!("filled {} {lots}", name(fill.order)))
        }
        Event::OrderCanceled(ended) => {
            Line::main(format!("canceled {} {}", name(ended.order), ended.reason.name()))
        }
        Event::OrderExpired(ended) => {
            Line::main(format!("expired {} {}", name(ended.order), ended.reason.name()))
        }
        Event::OrderReduced(event) => {
            let total = stage.quantity(stage.market_of(event.order), event.total);
            Line::main(format!("reduced {} to {total} {}", name(event.order), event.reason.name()))
        }
        Event::OrderTriggered(event) => {
            let price = stage.price(stage.market_of(event.order), event.observed);
            Line::main(format!("triggered {} at {price}", name(event.order)))
        }
        Event::MarginReserved(event) => {
            Line::detail(format!("reserved {} {}", name(event.order), event.amount))
        }
        Event::MarginReleased(event) => Line::detail(format!(
            "released {} {} {}",
            name(event.order),
            event.amount,
            event.reason.name()
        )),
        other => unreachable!("no order event: {other:?}"),
    }
}

fn of_change(stage: &Stage, head: EventHead, event: &Event) -> Line {
    let account = |number| stage.account_name(number);
    let from = |time: units::Timestamp| {
        if time > head.timestamp { format!(" from {}", when(time)) } else { String::new() }
    };
    let text = match event {
        Event::MarketPaused(event) => format!("paused {}", stage.symbol(event.market)),
        Event::MarketResumed(event) => format!("resumed {}", stage.symbol(event.market)),
        Event::TradingHalted(event) => format!("halted {}", event.reason.name()),
        Event::TradingResumed(_) => "resumed trading".to_owned(),
        Event::ClockStatusChanged(event) => {
            format!("clock {} to {}", event.from.name(), event.to.name())
        }
        Event::MarketParametersChanged(event) => {
            format!("parameters {}", stage.symbol(event.market))
        }
        Event::FeeScheduleChanged(event) => format!("fees{}", from(event.effective_at)),
        Event::FeeTierChanged(event) => {
            let (kind, maker, taker) =
                (event.kind.name(), show_rate(event.maker), show_rate(event.taker));
            let until = event.ends_at.map(|end| format!(" until {}", when(end)));
            let (tail, until) = (from(event.effective_at), until.unwrap_or_default());
            let row = if event.old_tier == event.new_tier {
                format!("row {}", event.new_tier)
            } else {
                format!("row {} to {}", event.old_tier, event.new_tier)
            };
            let short =
                format!("rates {} {kind} {maker} {taker}{tail}{until}", account(event.account));
            let long = format!("{short}, volume {}, {row}", event.volume_30d);
            return Line { main: true, short, long };
        }
        Event::AccountProfileChanged(event) => {
            format!("profile {} kyc {}", account(event.account), event.kyc_tier)
        }
        Event::AccountTransferred(event) => format!(
            "transferred {} {} {} to {}",
            event.amount,
            stage.asset(event.asset),
            account(event.from),
            account(event.to)
        ),
        Event::FeeRefunded(event) => format!(
            "refunded {} of {} {} to {}",
            event.amount,
            event.fee,
            stage.asset(event.asset),
            account(event.account)
        ),
        Event::CountdownCancelChanged(event) => {
            let end = event.deadline.map_or("off".to_owned(), |at| format!("at {}", when(at)));
            format!("countdown {} {end}", account(event.account))
        }
        Event::AccountStatusChanged(event) => {
            let (from, to) = (event.from.name(), event.to.name());
            format!("status {} {from} to {to}", account(event.account))
        }
        Event::AccountCreated(event) => format!("account {}", event.opening.external_id.as_str()),
        Event::AssetListed(event) => format!("asset {}", event.terms.symbol.as_str()),
        Event::MarketListed(event) => format!("market {}", event.terms.symbol.as_str()),
        other => format!("{} happened", other.kind().name()),
    };
    Line::main(text)
}

/// A text in the form in which lines are compared: single spaces, decimals without needless zeros.
pub(crate) fn plain(text: &str) -> String {
    let word = |word: &str| {
        let (body, comma) = word.strip_suffix(',').map_or((word, ""), |body| (body, ","));
        let (number, percent) = body.strip_suffix('%').map_or((body, ""), |body| (body, "%"));
        match number.parse::<Amount>() {
            Ok(amount) => format!("{amount}{percent}{comma}"),
            Err(_) => word.to_owned(),
        }
    };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// The word of a side.
pub(crate) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}
