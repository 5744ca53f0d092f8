//! The fields of each part of the state, by name.
//!
//! Owns how a part is shown where two states are compared: everything that a later command can depend on,
//! as its canonical encoding has it. Where a field is not shown by name yet, the encoding itself tells that
//! something differs (`bisect`).

use kernel::{Entity, Kernel, Market, Order, Watch};
use ledger::{Account, Balance};
use serde_json::{Map, Value, json};
use units::Timestamp;

/// The name of a part, for people.
pub(crate) fn name_of<W: Watch>(kernel: &Kernel<W>, entity: Entity) -> String {
    let account = |number: u32| {
        let name = kernel.account(number).map(|it| it.external_id().to_string());
        name.unwrap_or_else(|| format!("number {number}"))
    };
    let asset = |number: u32| {
        kernel.asset(number).map_or_else(|| number.to_string(), |it| it.symbol.to_string())
    };
    match entity {
        Entity::System => "shard".to_owned(),
        Entity::Asset(number) => format!("asset {}", asset(number)),
        Entity::Market(number) => {
            let symbol = kernel.market(number).map(|it| it.terms.symbol.to_string());
            format!("market {}", symbol.unwrap_or_else(|| number.to_string()))
        }
        Entity::Account(number) => format!("account {}", account(number)),
        Entity::Balance { account: number, asset: of } => {
            format!("balance {} {}", account(number), asset(of))
        }
        Entity::Order(sequence) => match kernel.order_of(sequence) {
            Some(order) => format!("order {}", kernel.order_id(&order)),
            None => format!("order of event {sequence}"),
        },
        Entity::Key(hash) => format!("key {}", hex(&hash)),
        Entity::Fees(number) => format!("fees of {}", account(number)),
        Entity::Refund { account: number, trade } => {
            format!("refund to {} of the trade of event {trade}", account(number))
        }
    }
}

/// The fields of a part; absent when it is not there.
pub(crate) fn describe<W: Watch>(kernel: &Kernel<W>, entity: Entity) -> Option<Map<String, Value>> {
    let value = match entity {
        Entity::System => system(kernel),
        Entity::Asset(number) => json!({"terms": format!("{:?}", kernel.asset(number)?)}),
        Entity::Market(number) => market(kernel.market(number)?),
        Entity::Account(number) => account(kernel.account(number)?),
        Entity::Balance { account, asset } => {
            kernel.assets_of(account).find(|&it| it == asset)?;
            balance(&kernel.balance(account, asset))
        }
        Entity::Order(sequence) => order(kernel, &kernel.order_of(sequence)?),
        Entity::Key(hash) => {
            let key = kernel.key(&hash)?;
            json!({
                "body_hash": hex(&key.body_hash),
                "expires_at": time(key.expires_at),
                "first_command": key.first_command,
                "gateway": key.gateway,
            })
        }
        Entity::Fees(number) => {
            let (tier, volume) = kernel.fee_tier(number)?;
            json!({
                "tier": tier,
                "volume_30d": volume.to_string(),
                "countdown_at": kernel.countdown(number).map(time),
            })
        }
        Entity::Refund { .. } => json!({}),
    };
    let Value::Object(mut fields) = value else { return None };
    let mut bytes = Vec::new();
    if !kernel.encode_entity(entity, &mut bytes) {
        return None;
    }
    fields.insert("encoding".to_owned(), hex(&bytes).into());
    Some(fields)
}

fn system<W: Watch>(kernel: &Kernel<W>) -> Value {
    let position = kernel.position();
    let recorded = kernel.recorded_hash();
    json!({
        "event_sequence": position.event_sequence,
        "last_timestamp": time(position.last_timestamp),
        "epoch": position.epoch,
        "shard": kernel.shard(),
        "recorded_hash_at": recorded.map(|(at, _)| at),
        "recorded_hash": recorded.map(|(_, hash)| hex(&hash)),
        "fee_tiers": format!("{:?}", kernel.fee_tiers()),
    })
}

fn market(market: &Market) -> Value {
    json!({
        "open": market.open,
        "sequence": market.sequence,
        "last_price": market.last_price.map(|ticks| market.price(ticks).to_string()),
        "terms": format!("{:?}", market.terms),
    })
}

fn account(account: &Account) -> Value {
    json!({
        "account_id": account.id.to_string(),
        "status": account.status.name(),
        "version": account.version,
        "created_at": time(account.created_at),
        "updated_at": time(account.updated_at),
        "fee_in_token": account.fee_in_token,
        "opening": format!("{:?}", account.opening()),
    })
}

fn balance(balance: &Balance) -> Value {
    json!({
        "available": balance.available.to_string(),
        "locked": balance.locked.to_string(),
        "update_seq": balance.update_seq,
        "updated_at": time(balance.updated_at),
    })
}

fn order<W: Watch>(kernel: &Kernel<W>, order: &Order) -> Value {
    let Some(market) = kernel.market(order.market) else { return Value::Null };
    json!({
        "account": order.account,
        "symbol": market.terms.symbol.as_str(),
        "side": order.side.name(),
        "type": order.order_type.name(),
        "time_in_force": order.time_in_force.name(),
        "self_trade": order.self_trade.name(),
        "price": market.price(order.ticks).to_string(),
        "quantity": market.quantity(order.total).to_string(),
        "filled_quantity": market.quantity(order.filled).to_string(),
        "traded_units": order.units.to_string(),
        "fees": order.fees.to_string(),
        "reserved": order.reserved.to_string(),
        "status": order.state.map(schema::OrderState::name),
        "prev_status": order.prev_state.map(schema::OrderState::name),
        "version": order.version,
        "state_seq": order.state_seq,
        "state_changed_at": time(order.state_changed_at),
        "submitted_at": time(order.submitted_at),
        "priority": order.priority,
        "conditions": order.conditions.as_ref().map(|it| format!("{it:?}")),
    })
}

fn time(time: Timestamp) -> Value {
    time.0.into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
