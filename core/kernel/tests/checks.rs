//! The checks of an order: their order, each combination, each code, and what a rejection leaves.

mod common;

use common::{Venue, amount, code_of, label, limit, message_of, opening};
use kernel::Entity;
use schema::{
    AccountStatus, AccountType, Code, Command, Event, KeyOrigin, MarketTerms, OrderRequest,
    OrderTerms, OrderType, Outcome, PositionSide, Stamped, SymbolRef, TimeInForce, Trigger,
    TriggerKind, TriggerSource, decode_command, encode_command,
};
use units::Side::{Buy, Sell};
use units::{Amount, Id, Lots, Ticks, Timestamp};

/// A venue with an account that can pay for `good`.
fn venue() -> (Venue, OrderRequest) {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "1", "1000");
    (venue, limit(alice, Buy, "1", "100"))
}

/// Every combination that contradicts itself, with what is said of it. `oco_with` names no open order.
#[test]
fn contradictions_are_invalid_schema() {
    use TimeInForce::{Fok, Gtc, Gtd, Ioc};
    let (mut venue, good) = venue();
    let market =
        OrderRequest { order_type: OrderType::Market, price: None, time_in_force: Ioc, ..good };
    let later = Some(Timestamp(venue.now.0 + 1_000_000_000));
    let trigger =
        Trigger { kind: TriggerKind::Stop, price: amount("1"), source: TriggerSource::Last };
    let by_mark = Trigger { source: TriggerSource::Mark, ..trigger };
    let cases = [
        (OrderRequest { price: None, ..good }, "a LIMIT order needs a price"),
        (OrderRequest { price: good.price, ..market }, "a MARKET order has no price"),
        (OrderRequest { time_in_force: Gtc, ..market }, "a MARKET order is IOC or FOK"),
        (
            OrderRequest { time_in_force: Gtd, expire_at: later, ..market },
            "a MARKET order is IOC or FOK",
        ),
        (OrderRequest { time_in_force: Gtd, ..good }, "GTD needs expire_at"),
        (OrderRequest { expire_at: later, ..good }, "expire_at needs time_in_force GTD"),
        (
            OrderRequest { expire_at: later, time_in_force: Ioc, ..good },
            "expire_at needs time_in_force GTD",
        ),
        (
            OrderRequest { expire_at: later, time_in_force: Fok, ..good },
            "expire_at needs time_in_force GTD",
        ),
        (OrderRequest { post_only: true, ..market }, "post_only goes with LIMIT and GTC or GTD"),
        (
            OrderRequest { post_only: true, time_in_force: Ioc, ..good },
            "post_only goes with LIMIT and GTC or GTD",
        ),
        (
            OrderRequest { post_only: true, time_in_force: Fok, ..good },
            "post_only goes with LIMIT and GTC or GTD",
        ),
        (OrderRequest { reduce_only: true, ..good }, "reduce_only needs a derivatives market"),
        (
            OrderRequest { position_side: Some(PositionSide::Long), ..good },
            "position_side needs isolated mode",
        ),
        (
            OrderRequest { oco_with: Some(Id([1; 16])), ..good },
            "oco_with names no open order of this account and market",
        ),
        (
            OrderRequest { by_quote: true, ..good },
            "quote_quantity goes with MARKET without trigger",
        ),
        (
            OrderRequest { by_quote: true, trigger: Some(trigger), ..market },
            "quote_quantity goes with MARKET without trigger",
        ),
        (
            OrderRequest { trigger: Some(by_mark), ..good },
            "spot markets have no mark price to trigger by",
        ),
        (
            OrderRequest { client_order_id: Some(label("")), ..good },
            "a field has a value that it may not have",
        ),
    ];
    for (request, message) in cases {
        let outcome = venue.place(request);
        assert_eq!(code_of(outcome), Code::InvalidSchema, "{message}");
        assert_eq!(message_of(outcome), message);
    }
    venue.check();
}

/// One fault after the other is put right, from the last step to the first, and each time the first
/// that is left is the reason.
/// covers: STATE-17
#[test]
fn the_first_check_that_fails_gives_the_reason() {
    let mut venue = Venue::new();
    let terms = MarketTerms {
        open_orders_max: 1,
        min_price: Ticks(10),
        max_price: Ticks(1_000_000),
        min_quantity: Lots(10),
        max_quantity: Lots(1_000_000_000),
        symbol: label("USDT/BTC"),
        base: label("USDT"),
        quote: label("BTC"),
        ..common::btc_usdt()
    };
    let terms = MarketTerms { lot_size: amount("0.0001"), ..terms };
    venue.list(move |operator| Command::ListMarket(terms.clone(), operator));
    let alice = venue.account("alice", "1", "0");
    let bob = venue.account("bob", "1", "0");
    let margin = schema::AccountOpening { account_type: AccountType::Margin, ..opening("m") };
    let margin = Venue::created(venue.run(Command::CreateAccount(margin)));
    venue.set_status(bob, AccountStatus::Suspended);
    let two = SymbolRef::Listed(2);
    venue.accept(OrderRequest { symbol: two, ..limit(alice, Buy, "1", "0.5") });

    // Wrong in every step: no price, no account, no market, no quantity, no money, one order too many.
    let mut request = OrderRequest {
        symbol: SymbolRef::Unknown(label("NO/SUCH")),
        price: None,
        ..limit(Id([9; 16]), Buy, "0", "1")
    };
    let mut used = venue.key();
    venue.run_keyed(Command::Tick, Some(used));
    used.body_hash = [2; 16];
    let keyed = |venue: &mut Venue, request| {
        code_of(venue.run_keyed(Command::PlaceOrder(request), Some(used)).outcome)
    };
    // Step 1 stands before step 2, and step 2 before step 3.
    assert_eq!(keyed(&mut venue, request), Code::InvalidSchema);
    request.price = Some(amount("0"));
    assert_eq!(keyed(&mut venue, request), Code::IdempotencyConflict);
    let mut late = venue.key();
    late.origin = KeyOrigin::Gateway { valid_until: Timestamp(venue.now.0 - 1) };
    let outcome = venue.run_keyed(Command::PlaceOrder(request), Some(late)).outcome;
    assert!(matches!(outcome, Outcome::Refused(refusal) if refusal.code == Code::InvalidExpiry));

    assert_eq!(venue.reject(request), Code::AccountNotFound);
    request.account = bob;
    assert_eq!(venue.reject(request), Code::AccountSuspended);
    request.account = margin;
    assert_eq!(venue.reject(request), Code::SymbolNotFound);
    request.symbol = two;
    assert_eq!(venue.reject(request), Code::SymbolNotFound, "a MARGIN account has no spot market");
    request.account = alice;
    for price in ["0", "-1", "0.001", "0.09", "10000.01"] {
        request.price = Some(amount(price));
        assert_eq!(venue.reject(request), Code::InvalidPrice, "{price}");
    }
    request.price = Some(amount("10000"));
    for quantity in ["0", "-1", "0.00001", "0.0009", "100000.0001"] {
        request.quantity = amount(quantity);
        assert_eq!(venue.reject(request), Code::InvalidQuantity, "{quantity}");
    }
    request.quantity = amount("1");
    assert_eq!(venue.reject(request), Code::InsufficientBalance);
    request.price = Some(amount("0.1"));
    assert_eq!(venue.reject(request), Code::RiskLimitBreach);
    // A rejected order has an id, that of its OrderSubmitted.
    let Outcome::Rejected { order, .. } = venue.place(request) else { panic!("still too many") };
    let (head, _) = &venue.events[0];
    assert_eq!(Id::derive(head.timestamp, 0, head.sequence), Ok(order));
    request.account = venue.account("carol", "1", "0");
    venue.accept(request);
    venue.check();
}

/// A value beyond the number format is the quantity's fault, on both sides and before the balance.
#[test]
fn a_value_beyond_the_number_format_is_the_quantitys_fault() {
    let mut venue = Venue::new();
    let terms = MarketTerms {
        symbol: label("USDT/BTC"),
        base: label("USDT"),
        quote: label("BTC"),
        tick_size: amount("1"),
        lot_size: amount("1"),
        max_price: Ticks(100_000_000_000_000_000),
        max_quantity: Lots(100_000_000_000_000_000),
        ..common::btc_usdt()
    };
    venue.list(move |operator| Command::ListMarket(terms.clone(), operator));
    let alice = venue.account("alice", "1", "1");
    for side in [Buy, Sell] {
        let request = OrderRequest {
            symbol: SymbolRef::Listed(2),
            quantity: amount("100000000000000000"),
            price: Some(amount("100000000000000000")),
            ..limit(alice, side, "1", "1")
        };
        let outcome = venue.place(request);
        assert_eq!(code_of(outcome), Code::InvalidQuantity);
        assert_eq!(message_of(outcome), "the order's value does not fit the number format");
    }
    venue.check();
}

/// covers: LIFE-11, EVT-21
#[test]
fn the_message_names_what_is_there_and_what_is_needed() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0.5", "100");
    let outcome = venue.place(limit(alice, Buy, "1", "100"));
    assert_eq!(message_of(outcome), "available 100 USDT, required 100.1 USDT");
    let outcome = venue.place(limit(alice, Sell, "0.50001", "100"));
    assert_eq!(message_of(outcome), "available 0.5 BTC, required 0.50001 BTC");
    let outcome = venue.withdraw(alice, 2, "100.000001").outcome;
    assert_eq!(message_of(outcome), "available 100 USDT, required 100.000001 USDT");
    let logged = venue.events.iter().find_map(|(_, event)| match event {
        schema::Event::CommandRejected(rejected) => Some(rejected.detail.to_string()),
        _ => None,
    });
    assert_eq!(logged.as_deref(), Some("available 100 USDT, required 100.000001 USDT"));
}

/// Every entity of a kernel with its bytes, without those that a rejection counts in.
fn without(venue: &Venue, counted: &[Entity]) -> Vec<(Entity, Vec<u8>)> {
    let entities = venue.live.entities().filter(|entity| !counted.contains(entity));
    let bytes = |entity| {
        let mut out = Vec::new();
        assert!(venue.live.encode_entity(entity, &mut out));
        (entity, out)
    };
    entities.map(bytes).collect()
}

/// A rejection or refusal leaves its events, its key, and the counts of the account that it names.
/// covers: LIFE-10, STATE-16, DET-41
#[test]
fn a_rejection_leaves_everything_else_as_it_was() {
    let (mut venue, good) = venue();
    let alice = venue.live.account_number(good.account).expect("she is there");
    venue.accept(OrderRequest { quantity: amount("0.5"), ..good });
    let seller = venue.account("seller", "5", "0");
    let mut order = limit(seller, Sell, "3", "101");
    venue.accept(order);
    order.price = Some(amount("200"));
    let wrong = [
        Command::PlaceOrder(OrderRequest { price: None, ..good }),
        Command::PlaceOrder(OrderRequest { price: Some(amount("101.001")), ..good }),
        Command::PlaceOrder(OrderRequest { quantity: amount("99"), ..good }),
        // It would trade against the seller first if it were not rejected.
        Command::PlaceOrder(OrderRequest { quantity: amount("99"), price: order.price, ..good }),
        Command::PlaceOrder(OrderRequest { symbol: SymbolRef::Listed(7), ..good }),
        Command::CancelOrder(schema::CancelOrder {
            account: good.account,
            order: Id([1; 16]),
            state_seq: None,
        }),
        Command::Withdraw(common::entry(good.account, 2, "5000")),
        Command::Deposit(common::entry(good.account, 9, "5000")),
    ];
    for command in wrong {
        let key = venue.key();
        let counted = [Entity::System, Entity::Account(alice), Entity::Key(key.key_hash)];
        let (before, events) = (without(&venue, &counted), venue.live.position().event_sequence);
        let outcome = venue.run_keyed(command.clone(), Some(key)).outcome;
        assert!(matches!(outcome, Outcome::Refused(_) | Outcome::Rejected { .. }));
        assert!(before == without(&venue, &counted), "{command:?}");
        let names = venue.names();
        assert!(names == ["CommandRejected"] || names == ["OrderSubmitted", "OrderRejected"]);
        assert_eq!(venue.live.position().event_sequence - events, names.len() as u64);
        assert!(venue.live.key(&key.key_hash).is_some());
        venue.check();
    }
}

/// covers: LIFE-13
#[test]
fn an_account_holds_200_open_orders_in_a_market() {
    let mut venue = Venue::new();
    let terms = MarketTerms {
        symbol: label("USDT/BTC"),
        base: label("USDT"),
        quote: label("BTC"),
        ..common::btc_usdt()
    };
    venue.list(move |operator| Command::ListMarket(terms.clone(), operator));
    let alice = venue.account("alice", "100", "100000");
    let orders: Vec<Id> = (0..200).map(|_| venue.accept(limit(alice, Buy, "1", "1"))).collect();
    assert_eq!(venue.reject(limit(alice, Buy, "1", "1")), Code::RiskLimitBreach);
    // Another market and another account have 200 of their own.
    let other = OrderRequest { symbol: SymbolRef::Listed(2), ..limit(alice, Buy, "1", "1") };
    venue.accept(other);
    let bob = venue.account("bob", "0", "100");
    venue.accept(limit(bob, Buy, "1", "1"));
    // One that ends, by cancel or by a fill, makes room for one.
    venue.cancel(alice, orders[7]);
    venue.accept(limit(alice, Buy, "1", "1"));
    assert_eq!(venue.reject(limit(alice, Buy, "1", "1")), Code::RiskLimitBreach);
    let seller = venue.account("seller", "1", "0");
    venue.accept(limit(seller, Sell, "1", "1"));
    venue.accept(limit(alice, Buy, "1", "1"));
    assert_eq!(venue.reject(limit(alice, Buy, "1", "1")), Code::RiskLimitBreach);
    assert_eq!(common::btc_usdt().open_orders_max, schema::limits::OPEN_ORDER_COUNT_DEFAULT);
    venue.check();
}

/// A symbol that is known when the command runs is found, though its sender knew only the text.
#[test]
fn a_text_that_names_a_market_is_that_market() {
    let (mut venue, good) = venue();
    venue.accept(OrderRequest { symbol: SymbolRef::Unknown(label("BTC/USDT")), ..good });
    for symbol in ["BTC", "btc/usdt", "BTC/USDT ", ""] {
        let symbol = SymbolRef::Unknown(label(symbol));
        assert_eq!(venue.reject(OrderRequest { symbol, ..good }), Code::SymbolNotFound);
    }
    let system = venue.live.account(0).expect("REVENUE").id;
    let code = venue.reject(OrderRequest { account: system, ..good });
    // It has no KYC tier and no market: whichever is told, it trades nothing (ACCT-2).
    assert!(matches!(code, Code::AccountSuspended | Code::SymbolNotFound));
}

/// A command has its decimals as 128-bit integers of 10^-18, its ids as 16 bytes and its market by listing number,
/// or by the text that nobody knew; stored and read again they are the very same. What passes its check is in
/// ticks and lots from its OrderSubmitted on, and what does not keeps what the request said.
/// covers: EVT-83
#[test]
fn decimals_become_ticks_and_lots_once_in_the_check() {
    let (mut venue, good) = venue();
    let seller = venue.account("seller", "1", "0");
    for (price, quantity) in [(1, 1), (i128::MAX, i128::MIN), (7_i128 << 90, (1 << 64) + 1)] {
        for symbol in [SymbolRef::Listed(u32::MAX), SymbolRef::Unknown(label("NO/ONE"))] {
            let (price, quantity) = (Some(Amount(price)), Amount(quantity));
            let request = OrderRequest { price, quantity, symbol, ..good };
            let id: [u8; 16] = request.account.0;
            let stamped = stamped(Command::PlaceOrder(request));
            let mut bytes = Vec::new();
            encode_command(&mut bytes, &stamped);
            assert_eq!(decode_command(&bytes, stamped.sequence), Ok(stamped));
            assert!(bytes.windows(16).any(|window| window == id), "an id is 16 bytes");
            venue.place(request);
            let Event::OrderSubmitted(submitted) = venue.events[0].1.clone() else {
                panic!("{:?}", venue.names())
            };
            let account = request.account;
            let terms = OrderTerms::Requested { account, symbol, price, quantity, by_quote: false };
            assert_eq!(submitted.terms, terms, "what the request said");
            assert_eq!(venue.names(), ["OrderSubmitted", "OrderRejected"]);
        }
    }
    for symbol in [SymbolRef::Listed(1), SymbolRef::Unknown(label("BTC/USDT"))] {
        let request = OrderRequest { symbol, quantity: amount("0.00012"), ..good };
        venue.accept(OrderRequest { price: Some(amount("100.25")), ..request });
        let Event::OrderSubmitted(submitted) = venue.events[0].1.clone() else {
            panic!("{:?}", venue.names())
        };
        let OrderTerms::Checked { market, ticks, lots, .. } = submitted.terms else {
            panic!("{submitted:?}")
        };
        assert_eq!((market, ticks, lots), (1, Ticks(10_025), Lots(12)));
    }
    venue.accept(limit(seller, Sell, "0.0002", "100.25"));
    let trades: Vec<(Ticks, Lots)> = venue
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::TradeExecuted(trade) => Some((trade.ticks, trade.lots)),
            Event::OrderFilled(fill) | Event::OrderPartiallyFilled(fill) => {
                Some((fill.ticks, fill.lots))
            }
            _ => None,
        })
        .collect();
    let (first, second) = ((Ticks(10_025), Lots(12)), (Ticks(10_025), Lots(8)));
    assert_eq!(trades, [first, first, first, second, second, second]);
    // Half a tick, half a lot: refused in the check, and never rounded.
    for (quantity, price) in [("0.000125", "100"), ("0.00012", "100.255")] {
        let code = venue.reject(limit(good.account, Buy, quantity, price));
        assert!(matches!(code, Code::InvalidQuantity | Code::InvalidPrice));
        assert_eq!(venue.names(), ["OrderSubmitted", "OrderRejected"]);
    }
    venue.check();
}

fn stamped(command: Command) -> Stamped {
    Stamped {
        sequence: 9,
        stamp: Timestamp(5),
        fallback_clock: false,
        correlation: None,
        key: None,
        command,
        account_version: None,
    }
}
