//! A state, for people and for programs.

use std::io::Write;

use kernel::{Kernel, Market, Order};
use serde_json::{Value, json};
use units::Side;

use super::entity::hex;
use super::{Chosen, state_hash};

/// One JSON object.
///
/// # Errors
/// The output is closed.
pub(super) fn json(out: &mut impl Write, kernel: &Kernel, chosen: Chosen) -> anyhow::Result<()> {
    let position = kernel.position();
    let accounts: Vec<Value> = accounts(kernel, chosen).map(|it| account(kernel, it)).collect();
    let orders: Vec<Value> = orders(kernel, chosen).map(|it| order(kernel, &it)).collect();
    let books: Vec<Value> = markets(kernel, chosen).map(|it| book(it, chosen.depth)).collect();
    let state = json!({
        "event_sequence": position.event_sequence,
        "command_sequence": position.command_sequence,
        "timestamp": position.last_timestamp.to_string(),
        "timestamp_nanos": position.last_timestamp.0,
        "state_hash": hex(&state_hash(kernel)),
        "accounts": accounts,
        "orders": orders,
        "books": books,
    });
    writeln!(out, "{state:#}")?;
    Ok(())
}

/// Tables.
///
/// # Errors
/// The output is closed.
pub(super) fn table(out: &mut impl Write, kernel: &Kernel, chosen: Chosen) -> anyhow::Result<()> {
    let position = kernel.position();
    let (event, command) = (position.event_sequence, position.command_sequence);
    writeln!(out, "behind event {event}, the last of command {command}")?;
    writeln!(out, "at {}", position.last_timestamp)?;
    writeln!(out, "state hash {}\n", hex(&state_hash(kernel)))?;
    writeln!(out, "{:<24}{:<10}{:>24}{:>24}", "account", "asset", "available", "locked")?;
    for number in accounts(kernel, chosen) {
        for (asset, balance) in balances(kernel, number) {
            let name = name_of(kernel, number);
            let (available, locked) = (balance.available.to_string(), balance.locked.to_string());
            writeln!(out, "{name:<24}{asset:<10}{available:>24}{locked:>24}")?;
        }
    }
    let columns = ("order", "account", "market", "side", "price", "quantity", "filled");
    let (id, account, market, side, price, quantity, filled) = columns;
    writeln!(
        out,
        "\n{id:<38}{account:<16}{market:<12}{side:<6}{price:>16}{quantity:>16}{filled:>16}"
    )?;
    for order in orders(kernel, chosen) {
        let Some(market) = kernel.market(order.market) else { continue };
        let (id, name) = (kernel.order_id(&order).to_string(), name_of(kernel, order.account));
        let (symbol, side) = (market.terms.symbol.as_str(), order.side.name());
        let price = market.price(order.ticks).to_string();
        let [quantity, filled] =
            [order.total, order.filled].map(|lots| market.quantity(lots).to_string());
        writeln!(
            out,
            "{id:<38}{name:<16}{symbol:<12}{side:<6}{price:>16}{quantity:>16}{filled:>16}"
        )?;
    }
    for market in markets(kernel, chosen) {
        table_of_book(out, market, chosen.depth)?;
    }
    Ok(())
}

fn table_of_book(out: &mut impl Write, market: &Market, depth: usize) -> anyhow::Result<()> {
    writeln!(out, "\nbook {}", market.terms.symbol)?;
    let mut sells = levels(market, Side::Sell, depth);
    sells.reverse();
    for (side, levels) in [("SELL", sells), ("BUY", levels(market, Side::Buy, depth))] {
        for [price, quantity, orders] in levels {
            writeln!(out, "{side:<6}{price:>20}{quantity:>20}  in {orders}")?;
        }
    }
    Ok(())
}

/// The account of the filter, or all that hold anything.
fn accounts(kernel: &Kernel, chosen: Chosen) -> impl Iterator<Item = u32> {
    let is_chosen = move |number: &u32| chosen.account.is_none_or(|it| it == *number);
    (0..kernel.account_count()).filter(is_chosen)
}

fn markets(kernel: &Kernel, chosen: Chosen) -> impl Iterator<Item = &Market> {
    kernel.markets().filter(move |it| chosen.market.is_none_or(|number| number == it.number))
}

/// Open orders, by account and id.
fn orders(kernel: &Kernel, chosen: Chosen) -> impl Iterator<Item = Order> {
    let of_market = move |order: &Order| chosen.market.is_none_or(|it| it == order.market);
    accounts(kernel, chosen).flat_map(|it| kernel.orders_of(it)).filter(of_market)
}

fn balances(kernel: &Kernel, account: u32) -> impl Iterator<Item = (&str, ledger::Balance)> {
    kernel.assets_of(account).filter_map(move |asset| {
        Some((kernel.asset(asset)?.symbol.as_str(), kernel.balance(account, asset)))
    })
}

fn name_of(kernel: &Kernel, account: u32) -> String {
    kernel.account(account).map_or_else(String::new, |it| it.external_id().to_string())
}

fn account(kernel: &Kernel, number: u32) -> Value {
    let Some(account) = kernel.account(number) else { return Value::Null };
    let balances: Vec<Value> = balances(kernel, number)
        .map(|(asset, it)| {
            json!({
                "asset": asset,
                "total": it.total().to_string(),
                "available": it.available.to_string(),
                "locked": it.locked.to_string(),
                "update_seq": it.update_seq,
            })
        })
        .collect();
    json!({
        "account_id": account.id.to_string(),
        "external_id": account.external_id().as_str(),
        "status": account.status.name(),
        "version": account.version,
        "balances": balances,
    })
}

fn order(kernel: &Kernel, order: &Order) -> Value {
    let Some(market) = kernel.market(order.market) else { return Value::Null };
    json!({
        "order_id": kernel.order_id(order).to_string(),
        "account": name_of(kernel, order.account),
        "symbol": market.terms.symbol.as_str(),
        "side": order.side.name(),
        "type": order.order_type.name(),
        "time_in_force": order.time_in_force.name(),
        "price": market.price(order.ticks).to_string(),
        "quantity": market.quantity(order.total).to_string(),
        "filled_quantity": market.quantity(order.filled).to_string(),
        "reserved": order.reserved.to_string(),
        "status": order.state.map(schema::OrderState::name),
        "in_book": order.is_resting(),
    })
}

fn book(market: &Market, depth: usize) -> Value {
    json!({
        "symbol": market.terms.symbol.as_str(),
        "sequence": market.sequence,
        "bids": levels(market, Side::Buy, depth),
        "asks": levels(market, Side::Sell, depth),
    })
}

/// Price, quantity and number of orders of each level, best first.
fn levels(market: &Market, side: Side, depth: usize) -> Vec<[String; 3]> {
    let lot = market.terms.lot_size.0;
    let shown = |level: book::Level| {
        // Wider than an order can be: a level may hold many.
        let quantity = i128::try_from(level.lots).ok().and_then(|lots| lots.checked_mul(lot));
        let quantity = quantity.map_or_else(|| "-".to_owned(), |it| units::Amount(it).to_string());
        [market.price(level.ticks).to_string(), quantity, level.orders.to_string()]
    };
    market.book().depth(side, depth).map(shown).collect()
}
