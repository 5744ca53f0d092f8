//! What each route says of itself: its name, its parameters, its body, its answers, its codes.
//!
//! One constant a route, named in the table of routes beside the handler. Statuses and codes that a
//! route has because of who may ask, or because it has a body, are added by the document.
//!
//! Length: one constant a route, in the order of the routes, and nothing else.

use schema::{Code, OrderState};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::shape::Kind::{Count, Decimal, Id, Name, Text};
use super::shape::{Kind, Shape, reference};
use super::shapes;
use crate::admin::{
    AccountForm, AssetForm, EntryForm, HaltForm, MarketForm, ParametersForm, ProfileForm,
    RatesForm, ReasonForm, RefundForm, ScheduleForm, StatusForm, WordForm,
};
use crate::batch::{BatchForm, CancelBatchForm};
use crate::forms::OrderForm;
use crate::order_changes::{CountdownForm, ReduceForm};
use crate::routes::Route;
use crate::transfers::TransferForm;

/// What a route says of itself.
pub(crate) struct Operation {
    /// Name of its own.
    pub(super) name: &'static str,
    /// What it does, in a sentence.
    pub(super) about: &'static str,
    /// Parameters behind the question mark.
    pub(super) parameters: &'static [Parameter],
    /// The form that reads the body.
    pub(super) body: Option<BodySchema>,
    /// What it answers when all is well.
    pub(super) answers: &'static [(u16, Answer)],
    /// Codes of refusals, each under its own status.
    pub(super) codes: &'static [&'static [Code]],
    /// Whether it may be rejected as an order is, under 422.
    pub(super) rejects: bool,
    /// Codes under a status that is not their own.
    pub(super) more: &'static [(u16, Code)],
    /// Whether the header `Idempotency-Key` is read.
    pub(super) has_key: bool,
    /// Whether the shard is asked.
    pub(super) asks_shard: bool,
}

/// Puts the schema of a body among the components and refers to it.
type BodySchema = fn(&mut Map<String, Value>) -> Value;

/// A parameter: its name, whether it must be there, and what it holds.
pub(crate) struct Parameter(pub(super) &'static str, pub(super) bool, pub(super) Kind);

/// What is answered when all is well.
pub(crate) enum Answer {
    /// A JSON object of known shape.
    Shape(&'static Shape),
    /// Text for programs that read lines.
    Text(&'static str),
    /// A table for programs that read columns.
    Csv(&'static str),
    /// A JSON object of any shape.
    Any(&'static str),
    /// The connection goes on as something else.
    Stream(&'static str),
}

impl Operation {
    /// Whether it hands in a command: its key may be refused, and it may name an account version.
    pub(super) fn is_command(&self) -> bool {
        self.codes.contains(&KEY)
    }

    /// Whether a request can be one that cannot be read.
    pub(super) fn can_be_malformed(&self, route: &Route) -> bool {
        self.body.is_some() || self.asks_shard && route.path.starts_with("/v1/")
    }
}

/// An operation that answers with a shape.
const fn ask(
    name: &'static str,
    about: &'static str,
    answers: &'static [(u16, Answer)],
) -> Operation {
    Operation {
        name,
        about,
        parameters: &[],
        body: None,
        answers,
        codes: &[],
        rejects: false,
        more: &[],
        has_key: false,
        asks_shard: true,
    }
}

/// A command with a key of the header.
const fn command(
    name: &'static str,
    about: &'static str,
    answers: &'static [(u16, Answer)],
) -> Operation {
    Operation { has_key: true, ..ask(name, about, answers) }
}

/// The body of a form.
fn form<T: ToSchema>(components: &mut Map<String, Value>) -> Value {
    let mut needed = Vec::new();
    T::schemas(&mut needed);
    needed.push((T::name().into_owned(), T::schema()));
    for (name, schema) in needed {
        let value = serde_json::to_value(schema).unwrap_or_default();
        components.insert(name, value);
    }
    reference(&T::name())
}

/// What lists of orders take as their status: no list shows rejected ones (STATE-34).
fn list_statuses() -> Vec<&'static str> {
    let listed = OrderState::ALL.iter().filter(|&&state| state != OrderState::Rejected);
    listed.map(|state| state.name()).chain(["ALL"]).collect()
}

/// What the keys of commands may be refused for (LIFE-8, step 2).
const KEY: &[Code] = &[Code::IdempotencyConflict, Code::InvalidExpiry, Code::RiskLimitBreach];
/// What a command on an order may be refused for (LIFE-46).
const OF_ORDER: &[Code] =
    &[Code::OrderNotFound, Code::InvalidStateTransition, Code::VersionConflict];
/// What an operator's signed command may be refused for.
const SIGNED: &[Code] = &[Code::ApprovalMissing];
const MIN_SEQUENCE: Parameter = Parameter("min_sequence", false, Count);
const STATE_SEQ: Parameter = Parameter("state_seq", false, Count);
const CLIENT_ORDER_ID: Parameter = Parameter("client_order_id", true, Text);
const ACCOUNT_ID: Parameter = Parameter("account_id", false, Id);
const START_TIME: Parameter = Parameter("start_time", false, Text);
const END_TIME: Parameter = Parameter("end_time", false, Text);
const CURSOR: Parameter = Parameter("cursor", false, Text);
const LIMIT: Parameter = Parameter("limit", false, Count);
/// Of a list in parts.
const PAGED: &[Parameter] = &[START_TIME, END_TIME, CURSOR, LIMIT, MIN_SEQUENCE];
const DEPTH: Parameter = Parameter("depth", false, Count);

pub(crate) const HEALTH: Operation = ask(
    "health",
    "How the shard is; 503 when it is stopped.",
    &[(200, Answer::Shape(&shapes::HEALTH)), (503, Answer::Shape(&shapes::HEALTH))],
);
pub(crate) const METRICS: Operation = Operation {
    asks_shard: false,
    ..ask("metrics", "Figures in Prometheus text.", &[(200, Answer::Text("Figures."))])
};
pub(crate) const OPENAPI: Operation = Operation {
    asks_shard: false,
    ..ask("openapi", "This document.", &[(200, Answer::Any("An OpenAPI document."))])
};
pub(crate) const ASSETS: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    ..ask("listAssets", "Every asset.", &[(200, Answer::Shape(&shapes::ASSETS))])
};
pub(crate) const MARKETS: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    codes: &[&[Code::SymbolNotFound]],
    ..ask("listMarkets", "Every market.", &[(200, Answer::Shape(&shapes::MARKETS))])
};
pub(crate) const BOOK: Operation = Operation {
    parameters: &[Parameter("symbol", true, Text), DEPTH, MIN_SEQUENCE],
    codes: &[&[Code::SymbolNotFound]],
    ..ask("getBook", "The book of a market.", &[(200, Answer::Shape(&shapes::BOOK))])
};
pub(crate) const FEES: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    ..ask("listFees", "The fee tiers of everyone.", &[(200, Answer::Shape(&shapes::FEES))])
};
pub(crate) const STREAM: Operation = Operation {
    asks_shard: false,
    more: &[(426, Code::InvalidSchema), (429, Code::RateLimited)],
    ..ask("stream", "A WebSocket of books and trades.", &[(101, Answer::Stream("WebSocket."))])
};

pub(crate) const CREATE_ORDER: Operation = Operation {
    body: Some(form::<OrderForm>),
    codes: &[KEY, &[Code::InvalidAmount]],
    rejects: true,
    ..ask("createOrder", "Places an order.", &[(201, Answer::Shape(&shapes::PLACED))])
};
pub(crate) const FIND_ORDER: Operation = Operation {
    parameters: &[CLIENT_ORDER_ID, ACCOUNT_ID, MIN_SEQUENCE],
    codes: &[&[Code::OrderNotFound]],
    ..ask(
        "findOrder",
        "The newest order with a client order id.",
        &[(200, Answer::Shape(&shapes::ORDER))],
    )
};
pub(crate) const CANCEL_BY_KEY: Operation = Operation {
    parameters: &[CLIENT_ORDER_ID, ACCOUNT_ID, STATE_SEQ],
    codes: &[OF_ORDER, KEY],
    ..command(
        "cancelOrderByKey",
        "Cancels the newest order with a client order id; a second time too.",
        &[(200, Answer::Shape(&shapes::CANCELED))],
    )
};
pub(crate) const PREVIEW: Operation = Operation {
    body: Some(form::<OrderForm>),
    rejects: true,
    ..ask(
        "previewOrder",
        "What an order would reserve and cost at the worst; nothing is placed.",
        &[(200, Answer::Shape(&shapes::PREVIEW))],
    )
};
pub(crate) const CREATE_ORDERS: Operation = Operation {
    body: Some(form::<BatchForm>),
    ..ask(
        "createOrders",
        "Places several orders, one behind the other, each for itself.",
        &[(200, Answer::Shape(&shapes::BATCH_PLACED))],
    )
};
pub(crate) const CANCEL_ORDERS: Operation = Operation {
    body: Some(form::<CancelBatchForm>),
    ..ask(
        "cancelOrders",
        "Cancels several orders, one behind the other, each for itself.",
        &[(200, Answer::Shape(&shapes::BATCH_CANCELED))],
    )
};
pub(crate) const GET_ORDER: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    codes: &[&[Code::OrderNotFound]],
    ..ask("getOrder", "An order.", &[(200, Answer::Shape(&shapes::ORDER))])
};
pub(crate) const CANCEL_ORDER: Operation = Operation {
    parameters: &[STATE_SEQ],
    codes: &[OF_ORDER, KEY],
    ..command(
        "cancelOrder",
        "Cancels an order; a second time too.",
        &[(200, Answer::Shape(&shapes::CANCELED))],
    )
};
pub(crate) const REDUCE_ORDER: Operation = Operation {
    parameters: &[STATE_SEQ],
    body: Some(form::<ReduceForm>),
    codes: &[OF_ORDER, KEY, &[Code::InvalidQuantity]],
    ..command(
        "reduceOrder",
        "Takes quantity off an order, which keeps its place in time.",
        &[(200, Answer::Shape(&shapes::REDUCED))],
    )
};
pub(crate) const REPLACE_ORDER: Operation = Operation {
    parameters: &[STATE_SEQ],
    body: Some(form::<OrderForm>),
    codes: &[OF_ORDER, KEY, &[Code::InvalidAmount]],
    rejects: true,
    ..ask(
        "replaceOrder",
        "Cancels an order and places another one, both or neither.",
        &[(200, Answer::Shape(&shapes::REPLACED))],
    )
};

pub(crate) const GET_ACCOUNT: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    codes: &[&[Code::AccountNotFound]],
    ..ask("getAccount", "An account.", &[(200, Answer::Shape(&shapes::ACCOUNT))])
};
pub(crate) const GET_BALANCES: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    codes: &[&[Code::AccountNotFound]],
    ..ask(
        "getBalances",
        "The balances of an account.",
        &[(200, Answer::Shape(&shapes::BALANCES_OF))],
    )
};
pub(crate) const GET_FEES: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    codes: &[&[Code::AccountNotFound]],
    ..ask(
        "getFees",
        "The fee tier, the volume and the rates of an account, and the next tier.",
        &[(200, Answer::Shape(&shapes::ACCOUNT_FEES))],
    )
};
pub(crate) const LIST_ORDERS: Operation = Operation {
    parameters: &[
        Parameter("status", false, Name(list_statuses)),
        Parameter("symbol", false, Text),
        Parameter("price", false, Decimal),
        START_TIME,
        END_TIME,
        CURSOR,
        LIMIT,
        MIN_SEQUENCE,
    ],
    codes: &[&[Code::AccountNotFound, Code::SymbolNotFound, Code::InvalidPrice]],
    ..ask(
        "listOrders",
        "The active orders of an account; with a state, a time or a cursor a part of all, ended ones too.",
        &[(200, Answer::Shape(&shapes::ORDERS))],
    )
};
pub(crate) const ACCOUNT_TRADES: Operation = Operation {
    parameters: PAGED,
    codes: &[&[Code::AccountNotFound]],
    ..ask(
        "listAccountTrades",
        "The trades of an account, oldest first.",
        &[(200, Answer::Shape(&shapes::ACCOUNT_TRADES))],
    )
};
pub(crate) const ORDER_TRADES: Operation = Operation {
    parameters: &[CURSOR, LIMIT, MIN_SEQUENCE],
    codes: &[&[Code::OrderNotFound]],
    ..ask(
        "listOrderTrades",
        "The trades of an order, oldest first.",
        &[(200, Answer::Shape(&shapes::ORDER_TRADES))],
    )
};
pub(crate) const MARKET_TRADES: Operation = Operation {
    parameters: &[
        Parameter("symbol", true, Text),
        START_TIME,
        END_TIME,
        CURSOR,
        LIMIT,
        MIN_SEQUENCE,
    ],
    codes: &[&[Code::SymbolNotFound]],
    ..ask(
        "listTrades",
        "The last trades of a market, newest first; from a time or a cursor on, oldest first.",
        &[(200, Answer::Shape(&shapes::MARKET_TRADES))],
    )
};
pub(crate) const GET_TRADE: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    codes: &[&[Code::TradeNotFound]],
    ..ask(
        "getTrade",
        "A trade: price, fee, the balances before and after; the other side is left out.",
        &[(200, Answer::Shape(&shapes::TRADE_PAGE))],
    )
};
pub(crate) const AUDIT_TRADE: Operation = Operation {
    parameters: &[MIN_SEQUENCE],
    codes: &[&[Code::TradeNotFound]],
    ..ask(
        "auditTrade",
        "A trade with both sides and every posting.",
        &[(200, Answer::Shape(&shapes::TRADE_PAGE))],
    )
};
pub(crate) const LEDGER: Operation = Operation {
    parameters: PAGED,
    codes: &[&[Code::AccountNotFound]],
    ..ask(
        "listLedger",
        "What moved the balances of an account, oldest first.",
        &[(200, Answer::Shape(&shapes::LEDGER))],
    )
};
pub(crate) const FEES_CSV: Operation = Operation {
    parameters: &[START_TIME, END_TIME],
    codes: &[&[Code::AccountNotFound]],
    ..ask(
        "getFeesCsv",
        "All fees that an account ever paid, as CSV: time, kind, reference, asset, rate, amount.",
        &[(200, Answer::Csv("A heading and a row for each fee."))],
    )
};
pub(crate) const CANCEL_ALL: Operation = Operation {
    parameters: &[Parameter("symbol", false, Text)],
    codes: &[&[Code::AccountNotFound, Code::SymbolNotFound], KEY],
    ..command(
        "cancelAllOrders",
        "Cancels every open order of an account, or those of one market.",
        &[(200, Answer::Shape(&shapes::ALL_CANCELED))],
    )
};
pub(crate) const SET_COUNTDOWN: Operation = Operation {
    body: Some(form::<CountdownForm>),
    codes: &[&[Code::AccountNotFound, Code::AccountSuspended], KEY],
    ..command(
        "setCountdown",
        "Arms, moves or takes back the countdown cancel of an account.",
        &[(200, Answer::Shape(&shapes::COUNTDOWN))],
    )
};
pub(crate) const TRANSFER: Operation = Operation {
    body: Some(form::<TransferForm>),
    codes: &[
        &[
            Code::AccountNotFound,
            Code::AssetNotFound,
            Code::InvalidAmount,
            Code::AccountSuspended,
            Code::InsufficientBalance,
        ],
        KEY,
    ],
    ..command(
        "transfer",
        "Moves money between two accounts of the caller's.",
        &[(201, Answer::Shape(&shapes::TRANSFERRED))],
    )
};

pub(crate) const LIST_ASSET: Operation = Operation {
    body: Some(form::<AssetForm>),
    codes: &[&[Code::InvalidAmount, Code::InvalidRate], SIGNED, KEY],
    ..command("listAsset", "Lists an asset.", &[(201, Answer::Shape(&shapes::ASSET_LISTED))])
};
pub(crate) const LIST_MARKET: Operation = Operation {
    body: Some(form::<MarketForm>),
    codes: &[
        &[
            Code::AssetNotFound,
            Code::InvalidPrice,
            Code::InvalidQuantity,
            Code::InvalidAmount,
            Code::InvalidRate,
        ],
        SIGNED,
        KEY,
    ],
    ..command("listMarket", "Lists a market.", &[(201, Answer::Shape(&shapes::MARKET_LISTED))])
};
pub(crate) const PAUSE_MARKET: Operation = Operation {
    body: Some(form::<ReasonForm>),
    codes: &[&[Code::SymbolNotFound, Code::InvalidStateTransition], SIGNED, KEY],
    ..command(
        "pauseMarket",
        "Stops a market from taking orders; cancels go on.",
        &[(200, Answer::Shape(&shapes::MARKET_STATE))],
    )
};
pub(crate) const RESUME_MARKET: Operation = Operation {
    body: Some(form::<ReasonForm>),
    codes: &[&[Code::SymbolNotFound, Code::InvalidStateTransition], SIGNED, KEY],
    ..command(
        "resumeMarket",
        "Lets a paused market take orders again.",
        &[(200, Answer::Shape(&shapes::MARKET_STATE))],
    )
};
pub(crate) const HALT_TRADING: Operation = Operation {
    body: Some(form::<HaltForm>),
    codes: &[&[Code::InvalidStateTransition], SIGNED, KEY],
    ..command(
        "haltTrading",
        "Stops orders on every market; cancels and withdrawals go on.",
        &[(200, Answer::Shape(&shapes::TRADING_STATE))],
    )
};
pub(crate) const RESUME_TRADING: Operation = Operation {
    body: Some(form::<WordForm>),
    codes: &[&[Code::InvalidStateTransition], SIGNED, KEY],
    ..command(
        "resumeTrading",
        "Ends a halt; the markets that it stopped take orders again.",
        &[(200, Answer::Shape(&shapes::TRADING_STATE))],
    )
};
pub(crate) const CONFIRM_CLOCK: Operation = Operation {
    body: Some(form::<WordForm>),
    codes: &[&[Code::InvalidStateTransition], SIGNED, KEY],
    ..command(
        "confirmClock",
        "Says that the machine's clock is right as it is; trading stays halted.",
        &[(200, Answer::Shape(&shapes::CLOCK_CONFIRMED))],
    )
};
pub(crate) const SET_PARAMETERS: Operation = Operation {
    body: Some(form::<ParametersForm>),
    codes: &[
        &[
            Code::SymbolNotFound,
            Code::InvalidPrice,
            Code::InvalidQuantity,
            Code::InvalidRate,
            Code::NoticeTooShort,
        ],
        SIGNED,
        KEY,
    ],
    ..command(
        "setMarketParameters",
        "Changes parameters of a market.",
        &[(200, Answer::Shape(&shapes::MARKET_CHANGED))],
    )
};
pub(crate) const SET_SCHEDULE: Operation = Operation {
    body: Some(form::<ScheduleForm>),
    codes: &[&[Code::InvalidAmount, Code::InvalidRate, Code::NoticeTooShort], SIGNED, KEY],
    ..command(
        "setFeeSchedule",
        "Sets or announces the fee tiers.",
        &[(200, Answer::Shape(&shapes::SCHEDULE_SET))],
    )
};
pub(crate) const FIND_ACCOUNT: Operation = Operation {
    parameters: &[Parameter("external_id", true, Text), MIN_SEQUENCE],
    codes: &[&[Code::AccountNotFound]],
    ..ask(
        "findAccount",
        "Which account has an external id.",
        &[(200, Answer::Shape(&shapes::ACCOUNT_FOUND))],
    )
};
pub(crate) const CREATE_ACCOUNT: Operation = Operation {
    body: Some(form::<AccountForm>),
    codes: &[&[Code::AccountExists], KEY],
    ..command(
        "createAccount",
        "Opens an account.",
        &[(201, Answer::Shape(&shapes::ACCOUNT_OPENED))],
    )
};
pub(crate) const SET_STATUS: Operation = Operation {
    body: Some(form::<StatusForm>),
    codes: &[
        &[Code::AccountNotFound, Code::InvalidStateTransition, Code::AccountNotEmpty],
        SIGNED,
        KEY,
    ],
    ..command(
        "setAccountStatus",
        "Suspends, activates or closes an account.",
        &[(200, Answer::Shape(&shapes::STATUS_SET))],
    )
};
pub(crate) const SET_RATES: Operation = Operation {
    body: Some(form::<RatesForm>),
    codes: &[&[Code::AccountNotFound, Code::InvalidRate, Code::NoticeTooShort], SIGNED, KEY],
    ..command(
        "setAccountRates",
        "Gives an account rates of its own or a waiver, or takes them back.",
        &[(200, Answer::Shape(&shapes::RATES_SET))],
    )
};
pub(crate) const REFUND_FEE: Operation = Operation {
    body: Some(form::<RefundForm>),
    codes: &[
        &[
            Code::AccountNotFound,
            Code::TradeNotFound,
            Code::AssetNotFound,
            Code::InvalidAmount,
            Code::AccountSuspended,
            Code::InsufficientBalance,
        ],
        SIGNED,
        KEY,
    ],
    ..command(
        "refundFee",
        "Gives the fee of a trade back, in whole or in part.",
        &[(200, Answer::Shape(&shapes::FEE_REFUNDED))],
    )
};
pub(crate) const SET_PROFILE: Operation = Operation {
    body: Some(form::<ProfileForm>),
    codes: &[&[Code::AccountNotFound], SIGNED, KEY],
    ..command(
        "setAccountProfile",
        "Changes what is known of an account.",
        &[(200, Answer::Shape(&shapes::PROFILE_SET))],
    )
};
pub(crate) const DEPOSIT: Operation = Operation {
    body: Some(form::<EntryForm>),
    codes: &[
        &[Code::AccountNotFound, Code::AssetNotFound, Code::InvalidAmount, Code::AccountSuspended],
        KEY,
    ],
    ..command("deposit", "Credits an account.", &[(201, Answer::Shape(&shapes::ENTRY))])
};
pub(crate) const WITHDRAW: Operation = Operation {
    body: Some(form::<EntryForm>),
    codes: &[
        &[
            Code::AccountNotFound,
            Code::AssetNotFound,
            Code::InvalidAmount,
            Code::AccountSuspended,
            Code::InsufficientBalance,
        ],
        KEY,
    ],
    ..command("withdraw", "Debits an account.", &[(201, Answer::Shape(&shapes::ENTRY))])
};
pub(crate) const AUDIT_TRADES: Operation = Operation {
    parameters: &[Parameter("after", true, Count), Parameter("until", true, Count)],
    more: &[(410, Code::TradeNotFound)],
    ..ask(
        "auditTrades",
        "The trades of some events, with the numbers of both orders.",
        &[(200, Answer::Shape(&shapes::AUDITED_TRADES))],
    )
};
pub(crate) const AUDIT_BOOK: Operation = Operation {
    parameters: &[Parameter("symbol", true, Text), DEPTH, MIN_SEQUENCE],
    codes: &[&[Code::SymbolNotFound]],
    ..ask(
        "auditBook",
        "The book of a market, with the number of orders at each level.",
        &[(200, Answer::Shape(&shapes::AUDITED_BOOK))],
    )
};
