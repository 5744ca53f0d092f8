//! The body of a request for an order (LIFE-6, SVC-22).
//!
//! Exactly the fields of the table, and the two other names of the key. Which fields go together is
//! the core's to say (LIFE-7, LIFE-8): what can be read is sequenced.

use schema::{
    Code, Label, OrderRequest, OrderType, PositionSide, SelfTrade, SymbolRef, TimeInForce, Trigger,
    TriggerKind, TriggerSource,
};
use serde::Deserialize;
use units::{Amount, Id};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::openapi::words::{
    Decimal, KeyText, OrderTypeName, PositionSideName, SelfTradeName, SideName, Time,
    TimeInForceName, TriggerKindName, TriggerSourceName, Uuid,
};
use crate::text::{
    parse_amount, parse_id, parse_key, parse_name, parse_side, parse_symbol, parse_time,
};

/// POST /v1/orders.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderForm {
    #[schema(value_type = Option<Uuid>)]
    pub(crate) account_id: Option<String>,
    #[schema(value_type = Option<KeyText>)]
    client_order_id: Option<String>,
    #[schema(value_type = Option<KeyText>)]
    client_id: Option<String>,
    #[schema(value_type = Option<KeyText>)]
    idempotency_key: Option<String>,
    symbol: String,
    #[schema(value_type = SideName)]
    side: String,
    #[serde(rename = "type")]
    #[schema(value_type = OrderTypeName)]
    order_type: String,
    #[schema(value_type = Option<Decimal>)]
    quantity: Option<String>,
    #[schema(value_type = Option<Decimal>)]
    quote_quantity: Option<String>,
    #[schema(value_type = Option<Decimal>)]
    price: Option<String>,
    #[schema(value_type = TimeInForceName)]
    time_in_force: String,
    #[schema(value_type = Option<Time>)]
    expire_at: Option<String>,
    #[serde(default)]
    post_only: bool,
    #[serde(default)]
    reduce_only: bool,
    #[schema(value_type = Option<SelfTradeName>)]
    self_trade: Option<String>,
    trigger: Option<TriggerForm>,
    #[schema(value_type = Option<Uuid>)]
    oco_with: Option<String>,
    #[schema(value_type = Option<PositionSideName>)]
    position_side: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TriggerForm {
    #[schema(value_type = TriggerKindName)]
    kind: String,
    #[schema(value_type = Decimal)]
    price: String,
    #[schema(value_type = TriggerSourceName)]
    source: String,
}

impl OrderForm {
    /// The symbol as written.
    pub(crate) fn symbol(&self) -> Result<Label, ApiError> {
        parse_symbol("symbol", &self.symbol)
    }

    /// The client's key by any of its names; two values are a contradiction (SVC-22).
    pub(crate) fn key(&self) -> Result<Option<Label>, ApiError> {
        let names = [
            ("client_order_id", &self.client_order_id),
            ("client_id", &self.client_id),
            ("idempotency_key", &self.idempotency_key),
        ];
        let mut key: Option<Label> = None;
        for (name, text) in names {
            let Some(text) = text else { continue };
            let label = parse_key(name, text)?;
            if key.is_some_and(|before| before != label) {
                return Err(ApiError::schema(
                    "client_order_id, client_id and idempotency_key are one key and differ",
                ));
            }
            key = Some(label);
        }
        Ok(key)
    }

    /// The quantity in base, or in quote (D-94); an order has one of them.
    fn quantity(&self) -> Result<(Amount, bool), ApiError> {
        let code = Code::InvalidQuantity;
        match (&self.quantity, &self.quote_quantity) {
            (Some(text), None) => Ok((parse_amount("quantity", text, code)?, false)),
            (None, Some(text)) => Ok((parse_amount("quote_quantity", text, code)?, true)),
            _ => Err(ApiError::schema("an order has quantity or quote_quantity, one of them")),
        }
    }

    /// The command's content.
    pub(crate) fn order(&self, account: Id, symbol: SymbolRef) -> Result<OrderRequest, ApiError> {
        let (quantity, by_quote) = self.quantity()?;
        Ok(OrderRequest {
            account,
            client_order_id: self.key()?,
            symbol,
            side: parse_side("side", &self.side)?,
            order_type: parse_name("type", &self.order_type, OrderType::ALL, OrderType::name)?,
            quantity,
            by_quote,
            price: optional(self.price.as_deref(), |text| price("price", text))?,
            time_in_force: parse_name(
                "time_in_force",
                &self.time_in_force,
                TimeInForce::ALL,
                TimeInForce::name,
            )?,
            expire_at: optional(self.expire_at.as_deref(), |text| parse_time("expire_at", text))?,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            self_trade: optional(self.self_trade.as_deref(), |text| {
                parse_name("self_trade", text, SelfTrade::ALL, SelfTrade::name)
            })?
            .unwrap_or(SelfTrade::CancelIncoming),
            trigger: self.trigger.as_ref().map(TriggerForm::trigger).transpose()?,
            oco_with: optional(self.oco_with.as_deref(), |text| parse_id("oco_with", text))?,
            position_side: optional(self.position_side.as_deref(), |text| {
                parse_name("position_side", text, PositionSide::ALL, PositionSide::name)
            })?,
        })
    }
}

impl TriggerForm {
    fn trigger(&self) -> Result<Trigger, ApiError> {
        let kinds = TriggerKind::ALL;
        Ok(Trigger {
            kind: parse_name("trigger.kind", &self.kind, kinds, TriggerKind::name)?,
            price: price("trigger.price", &self.price)?,
            source: parse_name(
                "trigger.source",
                &self.source,
                TriggerSource::ALL,
                TriggerSource::name,
            )?,
        })
    }
}

fn price(field: &str, text: &str) -> Result<Amount, ApiError> {
    parse_amount(field, text, Code::InvalidPrice)
}

fn optional<T>(
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, ApiError>,
) -> Result<Option<T>, ApiError> {
    text.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse_json;

    const WHOLE: &str = r#"{"symbol":"BTC/USDT","side":"BUY","type":"LIMIT","quantity":"1",
        "price":"5","time_in_force":"GTC"}"#;

    fn form(more: &str) -> Result<OrderRequest, ApiError> {
        let text = WHOLE.replace('{', &format!("{{{more}"));
        parse_json::<OrderForm>(text.as_bytes())?.order(Id([1; 16]), SymbolRef::Listed(1))
    }

    #[test]
    fn the_fields_of_the_table_are_read() {
        let order = form(
            r#""client_id":"k-1","expire_at":"2030-01-01T00:00:00.000000001Z","post_only":true,
               "reduce_only":false,"self_trade":"CANCEL_BOTH","position_side":"LONG",
               "trigger":{"kind":"STOP","price":"4","source":"LAST"},"#,
        )
        .expect("a whole order");
        assert_eq!(order.client_order_id, Label::new("k-1").ok());
        assert_eq!(order.price, Some(Amount::from_units(5)));
        assert_eq!(order.self_trade, SelfTrade::CancelBoth);
        assert!(order.post_only && !order.reduce_only);
        assert_eq!(order.expire_at.map(|at| at.0 % 1_000_000_000), Some(1));
        let plain = form("").expect("the least");
        assert_eq!(plain.self_trade, SelfTrade::CancelIncoming);
        assert_eq!((plain.client_order_id, plain.trigger), (None, None));
    }

    /// Money is text in both directions; a number, an unknown field and a doubled one are refused.
    #[test]
    fn what_is_not_in_the_table_is_refused() {
        for bad in [
            r#""leverage":"2","#,
            r#""price":5,"#,
            r#""price":"5","#,
            r#""quantity":1,"#,
            r#""post_only":"true","#,
            r#""oco_with":"x","#,
            r#""trigger":{"kind":"STOP","price":"4"},"#,
        ] {
            assert_eq!(form(bad).expect_err(bad).code(), "INVALID_SCHEMA", "{bad}");
        }
        let number = WHOLE.replace("\"5\"", "5");
        assert!(parse_json::<OrderForm>(number.as_bytes()).is_err());
    }

    /// covers: SVC-22
    #[test]
    fn three_names_of_one_key_must_agree() {
        let key = |more: &str| form(more).map(|order| order.client_order_id);
        let wanted = Label::new("a").ok();
        for name in ["client_order_id", "client_id", "idempotency_key"] {
            assert_eq!(key(&format!(r#""{name}":"a","#)), Ok(wanted), "{name}");
        }
        assert_eq!(key(r#""client_id":"a","idempotency_key":"a","#), Ok(wanted));
        let differ = key(r#""client_id":"a","client_order_id":"b","#);
        assert_eq!(differ.expect_err("two keys").code(), "INVALID_SCHEMA");
    }
}
