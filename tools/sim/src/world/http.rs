//! Requests as a client writes them for the gateway.
//!
//! Owns the way from a command to method, path, headers and body, and the key that the gateway must make
//! of them by D-17. A command that no client can write so, such as one for a market without a symbol, or a
//! time that is none, goes to the port instead; so do the commands that an operator signs.

use gateway::Call;
use port::Request;
use schema::{
    AssetRef, Command, Key, KeyOrigin, Label, LedgerEntry, OrderRequest, SymbolRef, Trigger,
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use testkit::oracle::Oracle;
use units::{Amount, Id, Timestamp};

/// A request on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// What the node must make of it. Over HTTP no key means that the gateway makes one.
    pub(crate) request: Request,
    pub(crate) http: Option<Http>,
}

/// How it is written.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) call: Call,
    /// The accounts of who asks; `None` for an operator.
    pub(crate) accounts: Option<Vec<Id>>,
}

impl Message {
    /// A request that goes to the port.
    pub(crate) const fn plain(request: Request) -> Self {
        Self { request, http: None }
    }

    /// The request over HTTP, if it can be written so; its key becomes one that a client can give.
    pub(crate) fn over_http(mut request: Request, oracle: &Oracle, venue_id: Id) -> Self {
        let plain = request.clone();
        let text = request.key.map(|key| text_of(&key));
        let written = write(&mut request.command, text, (oracle, venue_id));
        let Some((mut http, key)) = written else { return Self::plain(plain) };
        request.key = key.map(|(scope, text, is_named)| key_of(scope, text, is_named, &request));
        if let Some(version) = request.account_version {
            http.call.headers.push(("account-version", version.to_string()));
        }
        Self { request, http: Some(http) }
    }
}

/// Scope and text of a key, and whether its text goes on record with it.
type KeyText = (Id, Label, bool);

fn write(
    command: &mut Command,
    text: Option<Label>,
    (oracle, venue_id): (&Oracle, Id),
) -> Option<(Http, Option<KeyText>)> {
    let written = match command {
        Command::PlaceOrder(order) => {
            order.client_order_id = text.or(order.client_order_id);
            let body = order_body(order, oracle)?;
            let key = order.client_order_id.map(|text| (order.account, text, false));
            return Some((http("POST", "/v1/orders".to_owned(), &body, order.account), key));
        }
        Command::ReplaceOrder(it) => {
            it.request.client_order_id = text.or(it.request.client_order_id);
            let order = &it.request;
            let target = with_state("/v1/orders/", it.order, it.state_seq);
            let key = order.client_order_id.map(|text| (order.account, text, false));
            return Some((http("PUT", target, &order_body(order, oracle)?, order.account), key));
        }
        Command::Deposit(entry) => {
            return entry_call("/v1/admin/deposits", "Deposit", (entry, oracle, venue_id));
        }
        Command::Withdraw(entry) => {
            return entry_call("/v1/admin/withdrawals", "Withdraw", (entry, oracle, venue_id));
        }
        Command::CancelOrder(it) => {
            let target = with_state("/v1/orders/", it.order, it.state_seq);
            (http("DELETE", target, &Value::Null, it.account), it.account)
        }
        Command::ReduceOrder(it) => {
            let body = json!({ "quantity": amount(it.quantity)? });
            let target = with_state("/v1/orders/", it.order, it.state_seq);
            (http("PATCH", target, &body, it.account), it.account)
        }
        Command::CancelAllOrders(it) => {
            let symbol =
                it.symbol.as_ref().map(|symbol| market(symbol, oracle)).transpose_some()?;
            let query = symbol.map_or_else(String::new, |it| format!("?symbol={it}"));
            let query = query.replace('/', "%2F");
            let target = format!("/v1/accounts/{}/orders{query}", it.account);
            (http("DELETE", target, &Value::Null, it.account), it.account)
        }
        Command::SetCountdownCancel(it) => {
            it.timeout -= it.timeout % 1_000_000;
            let body = json!({ "timeout_ms": it.timeout / 1_000_000 });
            let target = format!("/v1/accounts/{}/countdown", it.account);
            (http("PUT", target, &body, it.account), it.account)
        }
        Command::Transfer(it) => {
            let body = json!({
                "from_account_id": it.from.to_string(),
                "to_account_id": it.to.to_string(),
                "asset": asset(&it.asset, oracle)?,
                "amount": amount(it.amount)?,
            });
            let mut http = http("POST", "/v1/transfers".to_owned(), &body, it.from);
            http.accounts = Some(vec![it.from, it.to]);
            (http, it.from)
        }
        _ => return None,
    };
    let (mut http, scope) = written;
    let key = text.map(|text| (scope, text, true));
    if let Some(text) = text {
        http.call.headers.push(("idempotency-key", text.as_str().to_owned()));
    }
    Some((http, key))
}

/// `Option<Option<T>>` turned: a symbol that is there and cannot be written makes all of it none.
trait TransposeSome<T> {
    fn transpose_some(self) -> Option<Option<T>>;
}

impl<T> TransposeSome<T> for Option<Option<T>> {
    fn transpose_some(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(None) => None,
            Some(some) => Some(some),
        }
    }
}

fn http(method: &'static str, target: String, body: &Value, account: Id) -> Http {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let call = Call { method, target, headers: Vec::new(), body };
    Http { call, accounts: Some(vec![account]) }
}

fn with_state(path: &str, order: Id, state_seq: Option<u64>) -> String {
    let query = state_seq.map_or_else(String::new, |it| format!("?state_seq={it}"));
    format!("{path}{order}{query}")
}

/// Money that comes or goes: its reference is its key (SVC-43).
fn entry_call(
    path: &str,
    name: &str,
    (entry, oracle, venue_id): (&LedgerEntry, &Oracle, Id),
) -> Option<(Http, Option<KeyText>)> {
    let body = json!({
        "account_id": entry.account.to_string(),
        "asset": asset(&entry.asset, oracle)?,
        "amount": amount(entry.amount)?,
        "reference": entry.reference.to_string(),
    });
    let text = Label::new(&format!("{name} {}", entry.reference)).ok()?;
    let http = Http { accounts: None, ..http("POST", path.to_owned(), &body, entry.account) };
    Some((http, Some((venue_id, text, true))))
}

fn order_body(order: &OrderRequest, oracle: &Oracle) -> Option<Value> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    put("account_id", order.account.to_string().into());
    put("symbol", market(&order.symbol, oracle)?.into());
    put("side", order.side.name().into());
    put("type", order.order_type.name().into());
    let quantity = if order.by_quote { "quote_quantity" } else { "quantity" };
    put(quantity, amount(order.quantity)?.into());
    put("time_in_force", order.time_in_force.name().into());
    put("self_trade", order.self_trade.name().into());
    put("post_only", order.post_only.into());
    put("reduce_only", order.reduce_only.into());
    if let Some(text) = &order.client_order_id {
        put("client_order_id", key_text(text.as_str())?.into());
    }
    if let Some(price) = order.price {
        put("price", amount(price)?.into());
    }
    if let Some(time) = order.expire_at {
        put("expire_at", time_text(time)?.into());
    }
    if let Some(Trigger { kind, price, source }) = order.trigger {
        let price = amount(price)?;
        let trigger = json!({ "kind": kind.name(), "price": price, "source": source.name() });
        put("trigger", trigger);
    }
    if let Some(order) = order.oco_with {
        put("oco_with", order.to_string().into());
    }
    if let Some(side) = order.position_side {
        put("position_side", side.name().into());
    }
    Some(Value::Object(body))
}

/// The symbol of a market that there is, or of none that is asked for by name.
fn market(symbol: &SymbolRef, oracle: &Oracle) -> Option<String> {
    match symbol {
        SymbolRef::Listed(number) => {
            let market = oracle.markets().iter().find(|it| it.number == *number)?;
            Some(market.terms.symbol.as_str().to_owned())
        }
        SymbolRef::Unknown(name) => {
            let is_known = oracle.markets().iter().any(|it| it.terms.symbol == *name);
            (!is_known && is_plain(name.as_str(), "/:")).then(|| name.as_str().to_owned())
        }
    }
}

fn asset(asset: &AssetRef, oracle: &Oracle) -> Option<String> {
    match asset {
        AssetRef::Listed(number) => {
            let asset = oracle.assets().get((*number as usize).checked_sub(1)?)?;
            Some(asset.terms.symbol.as_str().to_owned())
        }
        AssetRef::Unknown(name) => {
            let is_known = oracle.assets().iter().any(|it| it.terms.symbol == *name);
            (!is_known && is_plain(name.as_str(), "/:")).then(|| name.as_str().to_owned())
        }
    }
}

/// A decimal that reads back as itself.
fn amount(amount: Amount) -> Option<String> {
    let text = amount.to_string();
    (text.parse() == Ok(amount)).then_some(text)
}

fn key_text(text: &str) -> Option<String> {
    (is_plain(text, "._:+=@#-/") && !text.contains("..")).then(|| text.to_owned())
}

fn is_plain(text: &str, signs: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_alphanumeric() || signs.contains(it))
}

/// A time to the nanosecond; times are shown to the microsecond.
fn time_text(time: Timestamp) -> Option<String> {
    if !time.is_taken() {
        return None;
    }
    let text = time.to_string();
    Some(format!("{}{:03}Z", text.strip_suffix('Z')?, time.0.rem_euclid(1_000)))
}

/// What a client writes as the key that the generator made.
fn text_of(key: &Key) -> Label {
    let text: String = key.key_hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Label::new(&text).expect("32 letters")
}

/// D-17: the first halves of SHA-256 over scope and text, and over the command alone.
fn key_of(scope: Id, text: Label, is_named: bool, request: &Request) -> Key {
    Key {
        key_hash: half_of(&[&scope.0, text.as_str().as_bytes()]),
        body_hash: body_hash(&request.command),
        origin: KeyOrigin::Client,
        text: is_named.then_some(text),
    }
}

/// The hash of a command without stamp and key.
pub(crate) fn body_hash(command: &Command) -> [u8; 16] {
    half_of(&[&command.body()])
}

fn half_of(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let whole: [u8; 32] = hash.finalize().into();
    *whole.first_chunk().expect("half of it")
}
