//! The keys: one byte of space, then numbers, greatest byte first, so that keys are in order of sequence.
//!
//! `docs/formats/archive.md` lists them. A list is a range of keys under one prefix; its items are found
//! by the sequence that ends the key.

use schema::{Label, OrderState};
use units::{Id, Ticks, Timestamp};

/// A stored key.
pub(crate) type Key = Vec<u8>;

/// What a row is about: the first byte of its key.
pub(crate) mod space {
    pub(crate) const POSITION: u8 = b'P';
    pub(crate) const ACCOUNT: u8 = b'A';
    pub(crate) const ACCOUNT_NUMBER: u8 = b'I';
    pub(crate) const ASSET: u8 = b'X';
    pub(crate) const MARKET: u8 = b'M';
    pub(crate) const BALANCE: u8 = b'B';
    pub(crate) const ANSWER: u8 = b'C';
    pub(crate) const TIME: u8 = b'S';
    pub(crate) const ORDER: u8 = b'O';
    pub(crate) const ORDER_OF_ACCOUNT: u8 = b'a';
    pub(crate) const ORDER_OF_MARKET: u8 = b's';
    pub(crate) const ORDER_AT_PRICE: u8 = b'p';
    pub(crate) const ORDER_OF_CLIENT: u8 = b'c';
    pub(crate) const TRADE: u8 = b'T';
    pub(crate) const TRADE_OF_ORDER: u8 = b'o';
    pub(crate) const TRADE_OF_ACCOUNT: u8 = b't';
    pub(crate) const TRADE_OF_MARKET: u8 = b'm';
    pub(crate) const TRADE_TOUCHING: u8 = b'u';
    pub(crate) const ENTRY: u8 = b'L';
}

/// The class of an order in lists: open orders apart from each way to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    /// Every class that a list shows, with the states in it.
    pub(crate) const ALL: [(Self, &'static [OrderState]); 4] = [
        (Self(0), &[OrderState::Pending, OrderState::Partial]),
        (Self(OrderState::Filled.number()), &[OrderState::Filled]),
        (Self(OrderState::Canceled.number()), &[OrderState::Canceled]),
        (Self(OrderState::Expired.number()), &[OrderState::Expired]),
    ];

    /// The class of a state; `None` for a state that no list shows.
    pub(crate) fn of(state: OrderState) -> Option<Self> {
        Self::ALL.iter().find(|(_, states)| states.contains(&state)).map(|(class, _)| *class)
    }
}

fn key(space: u8, size: usize) -> Key {
    let mut key = Vec::with_capacity(1 + size);
    key.push(space);
    key
}

fn with_u64(space: u8, number: u64) -> Key {
    let mut key = key(space, 8);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn with_u32(space: u8, number: u32) -> Key {
    let mut key = key(space, 12);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The one row that says how far the archive reaches.
pub(crate) fn position() -> Key {
    key(space::POSITION, 0)
}

pub(crate) fn account(number: u32) -> Key {
    with_u32(space::ACCOUNT, number)
}

pub(crate) fn account_number(id: Id) -> Key {
    let mut key = key(space::ACCOUNT_NUMBER, 16);
    key.extend_from_slice(&id.0);
    key
}

pub(crate) fn asset(number: u32) -> Key {
    with_u32(space::ASSET, number)
}

pub(crate) fn market(number: u32) -> Key {
    with_u32(space::MARKET, number)
}

pub(crate) fn balance(account: u32, asset: u32) -> Key {
    let mut key = with_u32(space::BALANCE, account);
    key.extend_from_slice(&asset.to_be_bytes());
    key
}

pub(crate) fn answer(command: u64) -> Key {
    with_u64(space::ANSWER, command)
}

/// A mark: the first event of a group at this time. Times before 1970 are no exchange time.
pub(crate) fn time(time: Timestamp) -> Key {
    with_u64(space::TIME, time.0.max(0).unsigned_abs())
}

pub(crate) fn order(sequence: u64) -> Key {
    with_u64(space::ORDER, sequence)
}

/// Where the orders of an account or a market of one class stand.
pub(crate) fn orders_of(space: u8, owner: u32, class: Class) -> Key {
    let mut key = with_u32(space, owner);
    key.push(class.0);
    key
}

/// Where the orders of a market of one class and limit price stand.
pub(crate) fn orders_at(market: u32, class: Class, price: Ticks) -> Key {
    let mut key = key(space::ORDER_AT_PRICE, 4 + 1 + 8 + 8);
    key.extend_from_slice(&market.to_be_bytes());
    key.push(class.0);
    key.extend_from_slice(&price.0.to_be_bytes());
    key
}

/// Where the orders of an account under one client order id stand. The size in front keeps one id from
/// being the beginning of another.
pub(crate) fn orders_of_client(account: u32, id: &Label) -> Key {
    let mut key = key(space::ORDER_OF_CLIENT, 4 + 1 + id.as_bytes().len() + 8);
    key.extend_from_slice(&account.to_be_bytes());
    key.push(u8::try_from(id.as_bytes().len()).unwrap_or(u8::MAX));
    key.extend_from_slice(id.as_bytes());
    key
}

pub(crate) fn trade(sequence: u64) -> Key {
    with_u64(space::TRADE, sequence)
}

pub(crate) fn trades_of_order(order: u64) -> Key {
    with_u64(space::TRADE_OF_ORDER, order)
}

pub(crate) fn trades_of_account(account: u32) -> Key {
    with_u32(space::TRADE_OF_ACCOUNT, account)
}

pub(crate) fn trades_of_market(market: u32) -> Key {
    with_u32(space::TRADE_OF_MARKET, market)
}

/// Trades that moved a balance of an account which was no party to them.
pub(crate) fn trades_touching(account: u32) -> Key {
    with_u32(space::TRADE_TOUCHING, account)
}

pub(crate) fn entries_of(account: u32) -> Key {
    with_u32(space::ENTRY, account)
}

/// An item of a list.
pub(crate) fn item(mut list: Key, sequence: u64) -> Key {
    list.extend_from_slice(&sequence.to_be_bytes());
    list
}

/// The sequence that ends a key of an item; 0 for a key that is none.
pub(crate) fn sequence_of(key: &[u8]) -> u64 {
    key.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
