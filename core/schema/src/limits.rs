//! The bounds of everything, in one file (design: "bounds have names").
//!
//! They belong to the core's version: a change of one is a change of rules (D-76, D-82).

/// Bytes of a label: symbols, names, client order ids.
pub const LABEL_SIZE_MAX: usize = 64;
/// Bytes of a market's symbol (D-70).
pub const SYMBOL_SIZE_MAX: usize = 32;
/// Bytes of one encoded command.
pub const COMMAND_SIZE_MAX: usize = 65_536;
/// Fills of one command (D-76, LIFE-74).
pub const FILL_COUNT_MAX: u32 = 10_000;
/// Open orders of one account in one market, unless the market says otherwise (LIFE-13).
pub const OPEN_ORDER_COUNT_DEFAULT: u32 = 200;
/// The most that a market may say.
pub const OPEN_ORDER_COUNT_MAX: u32 = 10_000;
/// Idempotency keys kept by a shard, unless the genesis says otherwise (D-74).
pub const KEY_COUNT_DEFAULT: u64 = 20_000_000;
/// Keys beyond that for commands that must always pass: cancels, withdrawals, the operator's (D-83).
pub const KEY_COUNT_RESERVE: u64 = 1_000_000;
/// Open orders of one account over all markets of a shard, so that what ends them all is bounded.
pub const ACCOUNT_ORDER_COUNT_MAX: u64 = 1_000_000;
/// Items of the due queue that one command takes at the most (D-76).
pub const DUE_ITEM_COUNT_MAX: u32 = 1_000;
/// Events after which a command takes no more due items; an account's countdown is one item (D-92).
pub const DUE_EVENT_COUNT_MAX: u64 = 1_000_000;
/// Whole UTC days whose volume decides a fee tier (FEE-7).
pub const VOLUME_DAY_COUNT: u32 = 30;
/// A UTC day in nanoseconds.
pub const DAY: i64 = 86_400_000_000_000;
/// Notice before a trading fee rises, in days (FEE-38, D-61).
pub const FEE_NOTICE_DAY_COUNT: i64 = 30;
/// Notice before tier boundaries move, in days (FEE-38, D-61).
pub const TIER_NOTICE_DAY_COUNT: i64 = 60;
/// A promotion lasts at most so many days (FEE-22).
pub const PROMOTION_DAY_COUNT_MAX: i64 = 30;
/// Shortest countdown cancel: one second in nanoseconds (D-96).
pub const COUNTDOWN_MIN: u64 = 1_000_000_000;
/// Longest countdown cancel: one day in nanoseconds (D-96).
pub const COUNTDOWN_MAX: u64 = 86_400_000_000_000;
/// Life of a client's idempotency key: 24 hours in nanoseconds (D-17).
pub const CLIENT_KEY_LIFE: i64 = 86_400_000_000_000;
/// Life of a gateway's idempotency key: 60 s in nanoseconds (D-17).
pub const GATEWAY_KEY_LIFE: i64 = 60_000_000_000;
/// Ended keys that one event forgets at the most, so that no event is long.
pub const KEYS_FORGOTTEN_PER_EVENT: usize = 16;
/// Assets of a shard.
pub const ASSET_COUNT_MAX: u32 = 4_096;
/// Markets of a shard.
pub const MARKET_COUNT_MAX: u32 = 65_535;
/// Accounts of a shard.
pub const ACCOUNT_COUNT_MAX: u32 = 100_000_000;
/// Open orders of a shard.
pub const ORDER_COUNT_MAX: u32 = 100_000_000;
/// Fees of a shard of which something was given back (D-104).
pub const REFUND_COUNT_MAX: usize = 10_000_000;
/// Rows of a fee tier table.
pub const FEE_TIER_COUNT_MAX: usize = 32;
/// Networks of an asset.
pub const NETWORK_COUNT_MAX: usize = 16;
/// Pairs of an account's metadata.
pub const METADATA_COUNT_MAX: usize = 16;
/// Decimals of an asset at the most (D-6).
pub const ASSET_DECIMALS_MAX: u8 = 18;
/// Decimals of a fee at the most (D-7).
pub const FEE_DECIMALS_MAX: u8 = 8;
/// Events between two state hashes (EVT-43).
pub const HASH_WINDOW: u64 = 1_000;
/// Windows that the shadow may lag before intake closes (D-80).
pub const SHADOW_LAG_WINDOW_MAX: u64 = 1_000;
