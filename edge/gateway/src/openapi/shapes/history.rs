//! The shapes of what the archive answers: trades and ledger entries.

use schema::{Bucket, OrderType, UpdateReason};

use super::super::shape::Kind::{
    Count, Decimal, Flag, Id, List, Name, Object, OneOf, OrNull, Text, Time,
};
use super::super::shape::{Kind, Shape};
use super::super::words::all;
use super::{SIDE, shape};

const STATUS: Kind = OneOf(&["MATCHED", "SETTLED"]);
const OWN_TRADE: Shape = shape(
    "OwnTrade",
    "A trade as one of its sides sees it; a negative fee is a rebate.",
    &[
        ("trade_id", Id),
        ("trade_sequence", Count),
        ("symbol", Text),
        ("order_id", Id),
        ("side", SIDE),
        ("role", OneOf(&["MAKER", "TAKER"])),
        ("price", Decimal),
        ("quantity", Decimal),
        ("fee", Decimal),
        ("fee_asset", Text),
        ("status", STATUS),
        ("executed_at", Time),
        ("settled_at", Time),
    ],
);
const OWN_TRADES: Kind = List(&Object(&OWN_TRADE));
pub(in crate::openapi) const ACCOUNT_TRADES: Shape = shape(
    "AccountTrades",
    "A part of the trades of an account.",
    &[
        ("account_id", Id),
        ("trades", OWN_TRADES),
        ("next_cursor", OrNull(&Text)),
        ("sequence", Count),
    ],
);
pub(in crate::openapi) const ORDER_TRADES: Shape = shape(
    "OrderTrades",
    "A part of the trades of an order.",
    &[
        ("order_id", Id),
        ("trades", OWN_TRADES),
        ("next_cursor", OrNull(&Text)),
        ("sequence", Count),
    ],
);
const TRADE_PRINT: Shape = shape(
    "TradePrint",
    "A trade as everybody sees it; the side is the taker's.",
    &[
        ("trade_id", Id),
        ("price", Decimal),
        ("quantity", Decimal),
        ("side", SIDE),
        ("executed_at", Time),
    ],
);
pub(in crate::openapi) const MARKET_TRADES: Shape = shape(
    "MarketTrades",
    "A part of the trades of a market.",
    &[
        ("symbol", Text),
        ("trades", List(&Object(&TRADE_PRINT))),
        ("next_cursor", OrNull(&Text)),
        ("sequence", Count),
    ],
);
const TRADE_SIDE: Shape = shape(
    "TradeSide",
    "One side of a trade.",
    &[
        ("account_id", Id),
        ("order_id", Id),
        ("side", SIDE),
        ("order_type", Name(|| all(OrderType::ALL, OrderType::name))),
        ("limit_price", OrNull(&Decimal)),
        ("within_limit", Flag),
        ("fee", Decimal),
        ("fee_asset", Text),
    ],
);
const POSTING: Shape = shape(
    "Posting",
    "By how much a part of a balance moved, and what it was before and after.",
    &[
        ("account_id", Id),
        ("asset", Text),
        ("part", Name(|| all(Bucket::ALL, Bucket::name))),
        ("delta", Decimal),
        ("before", Decimal),
        ("after", Decimal),
    ],
);
pub(in crate::openapi) const TRADE_PAGE: Shape = shape(
    "TradePage",
    "A trade and its row of the settlement journal; a side that the caller may not see is null.",
    &[
        ("trade_id", Id),
        ("trade_sequence", Count),
        ("symbol", Text),
        ("side", SIDE),
        ("price", Decimal),
        ("quantity", Decimal),
        ("status", STATUS),
        ("executed_at", Time),
        ("settled_at", Time),
        ("shard", Count),
        ("settled_sequence", Count),
        ("maker", OrNull(&Object(&TRADE_SIDE))),
        ("taker", OrNull(&Object(&TRADE_SIDE))),
        ("postings", List(&Object(&POSTING))),
        ("sequence", Count),
    ],
);
const LEDGER_ENTRY: Shape = shape(
    "LedgerEntry",
    "An event that moved balances of the account, why, and what it refers to.",
    &[
        ("entry_sequence", Count),
        ("timestamp", Time),
        ("reason", Name(|| all(UpdateReason::ALL, UpdateReason::name))),
        ("reference_id", Id),
        ("postings", List(&Object(&POSTING))),
    ],
);
pub(in crate::openapi) const LEDGER: Shape = shape(
    "Ledger",
    "A part of what moved the balances of an account.",
    &[
        ("account_id", Id),
        ("entries", List(&Object(&LEDGER_ENTRY))),
        ("next_cursor", OrNull(&Text)),
        ("sequence", Count),
    ],
);
