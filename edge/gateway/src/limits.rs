//! The bounds of the door, in one file.
//!
//! What the specification fixes names its id; the rest keeps one client from taking the door from the
//! others. Bounds of commands are in `schema::limits`.

use std::time::Duration;

/// Bytes of a request's body (INV-69).
pub const BODY_SIZE_MAX: usize = 1 << 20;
/// From the first byte of a request to its last, and silence on a connection (INV-68).
pub const REQUEST_TIME: Duration = Duration::from_secs(30);
/// A synchronous call, all in all (SVC-11).
pub const SUBMIT_TIME: Duration = Duration::from_secs(5);
/// Orders that may wait for their result at one time at the most; beyond the bound orders, and nothing else,
/// get 503 (D-116).
pub const ORDERS_IN_FLIGHT_MAX: u64 = 512;
/// So many may always: fewer would keep a disk that is slow from being shared by many.
pub const ORDERS_IN_FLIGHT_MIN: u64 = 128;
/// The bound before anything was measured (D-117).
pub const ORDERS_IN_FLIGHT_START: u64 = 128;
/// How long an order may wait beyond what it takes alone (D-117).
pub const ORDER_WAIT_TARGET: Duration = Duration::from_millis(ORDER_WAIT_TARGET_MS);
/// The same in milliseconds.
pub const ORDER_WAIT_TARGET_MS: u64 = 2;
/// How often the bound is moved at the most.
pub const ADMISSION_WINDOW: Duration = Duration::from_millis(20);
/// With fewer results the bound is not moved.
pub const ADMISSION_SAMPLE_COUNT: u64 = 16;
/// The bound shrinks when more than one in so many orders waited longer than the target.
pub const ADMISSION_LATE_SHARE: u64 = 10;
/// What an order takes alone is the least of one to two such times.
pub const ADMISSION_BASE_TIME: Duration = Duration::from_secs(10);
/// One attempt at a query that must reflect an event (SVC-11).
pub const QUERY_TIME: Duration = Duration::from_secs(3);
/// How long a query waits for what this door has told before it answers what the view has.
pub const VIEW_WAIT: Duration = Duration::from_millis(500);
/// Connections at one time.
pub const CONNECTION_COUNT_MAX: usize = 8_192;
/// How long a stop waits for requests in flight.
pub const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Life of an access token (INV-15).
pub const TOKEN_LIFE_MAX_SECONDS: i64 = 900;
/// How far a token may be issued ahead of this machine's clock (TIME-47).
pub const TOKEN_SKEW_MAX_SECONDS: i64 = 60;
/// Bytes of a token.
pub const TOKEN_SIZE_MAX: usize = 4_096;
/// Accounts of one token.
pub const TOKEN_ACCOUNT_COUNT_MAX: usize = 32;
/// Verified tokens that are remembered.
pub const TOKEN_CACHE_COUNT_MAX: usize = 16_384;

/// Life of a key that the door makes, in nanoseconds: half of D-17's 60 s, so that two clocks that
/// differ by seconds still agree that it is alive.
pub const GATEWAY_KEY_LIFE: i64 = schema::limits::GATEWAY_KEY_LIFE / 2;
/// Life of an operator's approval, in nanoseconds; it is made and used within one request.
pub const APPROVAL_LIFE: i64 = 60_000_000_000;

/// Orders or cancels of one batch: with 50 requests a second, the 1,000 cancels of RATE-6.
pub const BATCH_COUNT_MAX: usize = 20;

/// Levels a side of a book when the request names none.
pub const DEPTH_DEFAULT: usize = 100;
/// Levels a side of a book over HTTP; the whole book is the WebSocket's.
pub const DEPTH_MAX: usize = 5_000;
/// How long listings are believed when a name is not among them.
pub const CATALOG_AGE: Duration = Duration::from_millis(100);

/// WebSocket connections of one address (SVC-64).
pub const STREAM_COUNT_MAX: u32 = 10;
/// Subscriptions of one connection (SVC-64).
pub const SUBSCRIPTION_COUNT_MAX: usize = 50;
/// Bytes of messages that wait for one connection; a reader further behind is dropped (D-115).
pub const STREAM_QUEUE_SIZE_MAX: usize = 4 << 20;
/// Bytes that a waiting message counts for beside its text.
pub const STREAM_MESSAGE_COST: usize = 64;
/// Bytes of a frame from a client.
pub const FRAME_SIZE_MAX: usize = 16_384;
