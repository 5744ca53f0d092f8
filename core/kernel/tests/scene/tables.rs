//! Tables: the book, open orders, balances and rates as a scene writes them, and what differs.

use book::Maker;
use kernel::{Kernel, Order};
use schema::{Label, OrderState};
use units::{Amount, Side};

use super::lines::{plain, side_word};
use super::parse::Fault;
use super::stage::{Stage, reloaded};
use super::words::{Words, show_rate};

/// What a table shows.
#[derive(Clone, Debug)]
pub(crate) enum Table {
    /// All levels, sells from the highest, then buys from the highest; orders in their time order.
    Book { symbol: Option<String> },
    /// All open orders of all accounts: state, what is left of the total, what is reserved.
    Orders,
    /// All that the listed accounts have: available, or available + locked.
    Balances,
    /// Maker and taker rate of the listed accounts.
    Rates,
    /// Price of the last trade.
    Last { symbol: Option<String> },
    /// Best buy and best sell price.
    Best { symbol: Option<String> },
}

impl Table {
    /// Reads the first line of a table, and the row that may stand in it.
    pub(crate) fn read(words: &mut Words) -> Result<Option<(Self, Option<String>)>, Fault> {
        let kind = words.peek().unwrap_or_default();
        let named = matches!(kind, "book" | "last" | "best");
        if !named && !matches!(kind, "orders" | "balances" | "rates") {
            return Ok(None);
        }
        let kind = words.word("a table")?;
        let symbol = words.peek().filter(|word| named && word.len() > 1 && word.contains('/'));
        let symbol = symbol.map(str::to_owned);
        if symbol.is_some() {
            words.next();
        }
        let mut rest = Vec::new();
        while let Some(word) = words.next() {
            rest.push(word);
        }
        let table = match kind {
            "book" => Self::Book { symbol },
            "orders" => Self::Orders,
            "balances" => Self::Balances,
            "rates" => Self::Rates,
            "last" => Self::Last { symbol },
            _ => Self::Best { symbol },
        };
        let allowed = match table {
            Self::Last { .. } => rest.len() == 1,
            Self::Best { .. } => rest.len() == 3 && rest[1] == "/",
            Self::Book { .. } => rest.is_empty() || rest == ["empty"],
            Self::Orders => rest.is_empty() || rest == ["none"],
            Self::Balances | Self::Rates => rest.is_empty(),
        };
        if !allowed {
            return words.fault(format!("unknown words `{}`", rest.join(" ")));
        }
        Ok(Some((table, (!rest.is_empty()).then(|| rest.join(" ")))))
    }

    /// A row must begin with a word that the table knows.
    pub(crate) fn check_row(&self, words: &mut Words) -> Result<(), Fault> {
        let first = words.word("a row")?;
        match self {
            Self::Book { .. } if !matches!(first, "buy" | "sell") => {
                words.fault(format!("unknown word `{first}`"))
            }
            Self::Last { .. } | Self::Best { .. } => words.fault(format!("unknown word `{first}`")),
            _ => Ok(()),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Book { .. } => "book",
            Self::Orders => "orders",
            Self::Balances => "balances",
            Self::Rates => "rates",
            Self::Last { .. } => "last",
            Self::Best { .. } => "best",
        }
    }

    fn rows(&self, stage: &Stage, kernel: &Kernel, expected: &[String]) -> Vec<String> {
        let market = |symbol: &Option<String>| {
            let number = symbol.as_deref().map_or(Some(1), |symbol| {
                Label::new(symbol).ok().and_then(|symbol| kernel.market_number(&symbol))
            });
            number.and_then(|number| kernel.market(number)).expect("a listed market")
        };
        let show = |price: Option<Amount>| price.map_or("-".to_owned(), |price| price.to_string());
        match self {
            Self::Book { symbol } => book_rows(stage, kernel, market(symbol)),
            Self::Orders => order_rows(stage, kernel),
            Self::Balances => of_accounts(kernel, expected, balances_of),
            Self::Rates => of_accounts(kernel, expected, |kernel, number| {
                let rates = kernel.rates(number, 1).expect("a market");
                format!("{} {}", show_rate(rates.maker), show_rate(rates.taker))
            }),
            Self::Last { symbol } => {
                let market = market(symbol);
                vec![show(market.last_price.map(|ticks| market.price(ticks)))]
            }
            Self::Best { symbol } => {
                let market = market(symbol);
                let best = |side| show(market.book().best(side).map(|ticks| market.price(ticks)));
                vec![format!("{} / {}", best(Side::Buy), best(Side::Sell))]
            }
        }
    }
}

fn book_rows(stage: &Stage, kernel: &Kernel, market: &kernel::Market) -> Vec<String> {
    let side_rows = |side: Side| {
        let mut levels: Vec<(units::Ticks, Vec<String>)> = Vec::new();
        let entry = |maker: &Maker| {
            let order = kernel.order_in_book(maker);
            format!("{} {}", stage.order_name(order.sequence), market.quantity(maker.lots))
        };
        for maker in market.book().iter(side) {
            match levels.last_mut().filter(|(ticks, _)| *ticks == maker.ticks) {
                Some((_, orders)) => orders.push(entry(&maker)),
                None => levels.push((maker.ticks, vec![entry(&maker)])),
            }
        }
        let row = |(ticks, orders): (units::Ticks, Vec<String>)| {
            format!("{} {} {}", side_word(side), market.price(ticks), orders.join(", "))
        };
        levels.into_iter().map(row).collect::<Vec<_>>()
    };
    let mut rows = side_rows(Side::Sell);
    rows.reverse();
    rows.extend(side_rows(Side::Buy));
    if rows.is_empty() {
        rows.push("empty".into());
    }
    rows
}

fn order_rows(stage: &Stage, kernel: &Kernel) -> Vec<String> {
    let row = |order: Order| {
        let market = kernel.market(order.market).expect("its market");
        let state = order.state.map_or("-", OrderState::name);
        let waiting = if order.is_resting() { "" } else { " waiting" };
        let (left, total) = (market.quantity(order.remaining()), market.quantity(order.total));
        let name = stage.order_name(order.sequence);
        format!("{name} {state} {left} of {total} reserved {}{waiting}", order.reserved)
    };
    let mut rows: Vec<String> = (0..kernel.account_count())
        .flat_map(|account| kernel.orders_of(account).map(row).collect::<Vec<_>>())
        .collect();
    if rows.is_empty() {
        rows.push("none".into());
    }
    rows
}

/// One row for each account that the scene lists.
fn of_accounts(
    kernel: &Kernel,
    expected: &[String],
    show: impl Fn(&Kernel, u32) -> String,
) -> Vec<String> {
    let row = |row: &String| {
        let name = row.split(' ').next().unwrap_or_default();
        let number = Label::new(name).ok().and_then(|name| kernel.account_number_of(&name));
        let shown = number.map_or("is no account".to_owned(), |number| show(kernel, number));
        format!("{name} {shown}")
    };
    expected.iter().map(row).collect()
}

fn balances_of(kernel: &Kernel, number: u32) -> String {
    let mut parts = Vec::new();
    for asset in 1..=kernel.asset_count() {
        let balance = kernel.balance(number, asset);
        let symbol = kernel.asset(asset).expect("an asset").symbol;
        if balance.locked != Amount::ZERO {
            let (available, locked) = (balance.available, balance.locked);
            parts.push(format!("{available} + {locked} {}", symbol.as_str()));
        } else if balance.available != Amount::ZERO {
            parts.push(format!("{} {}", balance.available, symbol.as_str()));
        }
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// Compares a table with every kernel of the stage.
pub(crate) fn compare(stage: &Stage, table: &Table, expected: &[String]) -> Result<(), String> {
    let fresh = reloaded(&stage.venue.live);
    for (name, kernel) in stage.kernels().into_iter().chain([("just loaded", &fresh)]) {
        let rows: Vec<String> =
            table.rows(stage, kernel, expected).iter().map(|row| plain(row)).collect();
        if rows != expected {
            return Err(format!("{} ({name})\n{}", table.name(), side_by_side(expected, &rows)));
        }
    }
    Ok(())
}

/// What was expected on the left, what is on the right; rows that differ are marked.
pub(crate) fn side_by_side(expected: &[String], found: &[String]) -> String {
    let width = expected.iter().map(|row| row.len()).max().unwrap_or(0).max(8);
    let mut text = format!("      {:width$} | found\n", "expected");
    for index in 0..expected.len().max(found.len()) {
        let row = |rows: &[String]| rows.get(index).cloned().unwrap_or_default();
        let (left, right) = (row(expected), row(found));
        let mark = if left == right { ' ' } else { '*' };
        text.push_str(&format!("    {mark} {left:width$} | {right}\n"));
    }
    text
}
