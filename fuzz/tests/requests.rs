//! The parsers of the door: requests, frames, queries and tokens are taken or refused, whatever they are.

use fuzz::{mutate, run};
use gateway::parse_anything;

/// One sound input of each parser; the mutations lead from one to the other.
const CORPUS: [&str; 9] = [
    r#"{"symbol":"BTC/USDT","side":"BUY","type":"LIMIT","quantity":"0.01","price":"50000.00","time_in_force":"GTC","client_order_id":"a-1","self_trade":"CANCEL_INCOMING"}"#,
    r#"{"symbol":"BTC","name":"Bitcoin","decimals":8,"is_collateral":true,"collateral_weight":"0.95","networks":[]}"#,
    r#"{"symbol":"BTC/USDT","base":"BTC","quote":"USDT","tick_size":"0.01","lot_size":"0.00001","min_price":"0.01","max_price":"1000000","min_quantity":"0.00001","max_quantity":"1000"}"#,
    r#"{"external_id":"u-1","account_type":"SPOT","kyc_tier":1,"metadata":{"a":"b"}}"#,
    r#"{"account_id":"018db49c-f095-7001-8000-00000000002a","asset":"USDT","amount":"10.5","reference":"018db49c-f095-7001-8000-00000000002b"}"#,
    r#"{"method":"SUBSCRIBE","channels":["book.BTC-USDT","trades.BTC-USDT"]}"#,
    r#"{"action":"subscribe","channel":"book","symbol":"BTC/USDT"}"#,
    "symbol=BTC-USDT&depth=5&min_sequence=7",
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMThkYjQ5Yy1mMDk1LTcwMDEtODAwMC0wMDAwMDAwMDAwMmEifQ.AAAA",
];

#[test]
fn any_request_is_taken_or_refused() {
    let (mut taken, mut refused) = (0u64, 0u64);
    run("requests", |rng| {
        let mut bytes = rng.pick(&CORPUS).expect("there are some").as_bytes().to_vec();
        let other = rng.pick(&CORPUS).expect("there are some").as_bytes();
        mutate(rng, &mut bytes, other);
        if parse_anything(&bytes) > 0 { taken += 1 } else { refused += 1 }
    });
    println!("requests: {taken} taken by a parser, {refused} refused");
    assert!(taken > 0 && refused > 0, "the mutations reach both sides");
}
