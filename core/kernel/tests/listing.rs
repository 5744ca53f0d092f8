//! Genesis, assets and markets: what is checked, what the events carry, and what comes first.

mod common;

use common::{Venue, amount, asset, btc_usdt, code_of, genesis, label, limit, message_of, opening};
use ed25519_dalek::{SigningKey, VerifyingKey};
use ledger::SystemAccount;
use schema::{
    AccountType, AssetTerms, Code, Command, Event, FeeTier, Genesis, MarketKind, MarketTerms,
    NetworkTerms, Outcome, SymbolRef,
};
use sha2::{Digest, Sha256};
use units::Side::Buy;
use units::{Amount, Id, Lots, Rate, Ticks, Timestamp};

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

/// Event 1 is GenesisRecorded with the hash of the configuration, then each system account, and no
/// second genesis is taken.
/// covers: EVT-86, EVT-32, SEQ-55
#[test]
fn the_genesis_comes_first_and_once() {
    let mut venue = Venue::empty();
    let genesis = genesis(&operator(), fees::default_tiers());
    let reply = venue.run(Command::Genesis(genesis.clone()));
    assert_eq!((reply.command, Venue::created(reply)), (1, genesis.venue_id));
    let (head, Event::GenesisRecorded(recorded)) = &venue.events[0] else { panic!("first") };
    assert_eq!((head.sequence, &recorded.genesis), (1, &genesis));
    let hash: [u8; 32] = Sha256::digest(genesis.configuration()).into();
    assert_eq!(recorded.configuration_hash, hash);
    let opened: Vec<_> = venue.events[1..]
        .iter()
        .map(|(_, event)| match event {
            Event::AccountCreated(created) => {
                assert_eq!(created.opening.account_type, AccountType::System);
                created.opening.external_id.as_str().to_owned()
            }
            other => panic!("only accounts follow: {other:?}"),
        })
        .collect();
    let named = [
        "REVENUE",
        "INSURANCE_FUND",
        "REFERRAL",
        "OPERATIONS",
        "EXTERNAL",
        "LENDING",
        "TRANSIT",
        "PENDING_WITHDRAWAL",
    ];
    assert_eq!(opened, named);
    assert_eq!(SystemAccount::ALL.map(SystemAccount::name), named);
    let negative: Vec<u32> =
        (0..20).filter(|&number| SystemAccount::may_be_negative(number)).collect();
    assert_eq!(negative, [SystemAccount::External.number(), SystemAccount::Transit.number()]);
    assert_eq!(venue.refuse(Command::Genesis(genesis)), Code::InvalidSchema);
    assert_eq!(venue.names(), ["CommandRejected"]);
    venue.check();
}

/// Before the genesis nothing is taken and nothing leaves an event; a bad one is no beginning.
#[test]
fn nothing_is_taken_before_the_genesis() {
    let mut venue = Venue::empty();
    let good = genesis(&operator(), fees::default_tiers());
    let key = venue.key();
    for command in [Command::Tick, Command::CreateAccount(opening("alice"))] {
        let outcome = venue.run_keyed(command, Some(key)).outcome;
        assert_eq!(message_of(outcome), "the first command, and only it, is Genesis");
        assert!(venue.events.is_empty());
    }
    let tier =
        |maker, taker| FeeTier { above: Amount::ZERO, maker: Rate(maker), taker: Rate(taker) };
    let no_point = (0..=u8::MAX)
        .map(|byte| [byte; 32])
        .find(|bytes| VerifyingKey::from_bytes(bytes).is_err())
        .expect("half of all numbers are no points");
    for (bad, code) in [
        (Genesis { fee_tiers: vec![], ..good.clone() }, Code::InvalidRate),
        (Genesis { fee_tiers: vec![tier(-50_001, 0)], ..good.clone() }, Code::InvalidRate),
        (Genesis { fee_tiers: vec![tier(0, 2_000_001)], ..good.clone() }, Code::InvalidRate),
        (Genesis { fee_tiers: vec![tier(0, 0); 33], ..good.clone() }, Code::InvalidRate),
        (Genesis { shard: 4_000, ..good.clone() }, Code::InvalidSchema),
        (Genesis { key_count_max: 0, ..good.clone() }, Code::InvalidSchema),
        (Genesis { operator_key: [0; 32], ..good.clone() }, Code::InvalidSchema),
        (Genesis { operator_key: no_point, ..good.clone() }, Code::InvalidSchema),
    ] {
        let mut venue = Venue::empty();
        assert_eq!(venue.refuse(Command::Genesis(bad)), code);
        assert!(venue.events.is_empty());
        assert_eq!(venue.live.position().event_sequence, 0);
    }
    // A log that began with something else has no genesis any more.
    assert_eq!(venue.refuse(Command::Genesis(good)), Code::InvalidSchema);
    assert!(venue.events.is_empty());
    venue.check();
}

fn list_market(venue: &mut Venue, terms: MarketTerms) -> Outcome {
    venue.list(move |operator| Command::ListMarket(terms.clone(), operator)).outcome
}

fn list_asset(venue: &mut Venue, terms: AssetTerms) -> Outcome {
    venue.list(move |operator| Command::ListAsset(terms.clone(), operator)).outcome
}

fn usdt_btc() -> MarketTerms {
    MarketTerms {
        symbol: label("USDT/BTC"),
        base: label("USDT"),
        quote: label("BTC"),
        lot_size: amount("0.000001"),
        ..btc_usdt()
    }
}

#[test]
fn markets_are_checked() {
    let mut venue = Venue::new();
    let good = usdt_btc();
    let tier = FeeTier { above: Amount(1), maker: Rate(0), taker: Rate(0) };
    let schema = Code::InvalidSchema;
    for (bad, code) in [
        (MarketTerms { kind: MarketKind::Perpetual, ..good.clone() }, schema),
        (MarketTerms { price_band: Some(Rate(-1)), ..good.clone() }, schema),
        (MarketTerms { price_band: Some(Rate(100_000_001)), ..good.clone() }, schema),
        (MarketTerms { base: label("DOGE"), ..good.clone() }, Code::AssetNotFound),
        (MarketTerms { quote: label("DOGE"), ..good.clone() }, Code::AssetNotFound),
        (MarketTerms { base: label("BTC"), symbol: label("BTC/BTC"), ..good.clone() }, schema),
        (MarketTerms { symbol: label("USDT-BTC"), ..good.clone() }, schema),
        (btc_usdt(), schema),
        (MarketTerms { tick_size: Amount::ZERO, ..good.clone() }, schema),
        (MarketTerms { tick_size: Amount(-1), ..good.clone() }, schema),
        (MarketTerms { lot_size: Amount::ZERO, ..good.clone() }, schema),
        (MarketTerms { tick_size: Amount::COMMAND_END, ..good.clone() }, schema),
        (MarketTerms { tick_size: Amount(i128::MAX), ..good.clone() }, schema),
        (MarketTerms { min_price: Ticks(0), ..good.clone() }, schema),
        (MarketTerms { min_price: Ticks(9), max_price: Ticks(8), ..good.clone() }, schema),
        (MarketTerms { min_quantity: Lots(0), ..good.clone() }, schema),
        (MarketTerms { min_quantity: Lots(9), max_quantity: Lots(8), ..good.clone() }, schema),
        (MarketTerms { protection_bound: Rate(-1), ..good.clone() }, schema),
        (MarketTerms { protection_bound: Rate(100_000_001), ..good.clone() }, schema),
        (MarketTerms { open_orders_max: 0, ..good.clone() }, schema),
        (MarketTerms { open_orders_max: 10_001, ..good.clone() }, schema),
        // Finer than the base asset's decimals.
        (MarketTerms { lot_size: amount("0.0000001"), ..good.clone() }, schema),
        (MarketTerms { fee_tiers: vec![tier], ..good.clone() }, Code::InvalidRate),
        // Prices and quantities that no request can say (D-70).
        (
            MarketTerms { max_price: Ticks(u64::MAX), tick_size: amount("1"), ..good.clone() },
            schema,
        ),
        (
            MarketTerms { max_quantity: Lots(u64::MAX), lot_size: amount("1"), ..good.clone() },
            schema,
        ),
    ] {
        assert_eq!(code_of(list_market(&mut venue, bad.clone())), code, "{bad:?}");
        assert_eq!(venue.names(), ["CommandRejected"]);
        assert_eq!(venue.live.markets().count(), 1);
    }
    list_market(&mut venue, good);
    assert_eq!(venue.names(), ["MarketListed", "MarketResumed"]);
    venue.check();
}

/// Whole down to one last decimal of 10^-18 and refused one beyond; a product that is whole is listed
/// however large tick and lot are.
/// covers: ACCT-69
#[test]
fn tick_times_lot_is_whole() {
    for (tick, lot, listed) in [
        ("0.000000000001", "0.000001", true),
        ("0.0000000000001", "0.000001", false),
        ("0.0000000000015", "0.000001", false),
        ("0.0000000000015", "0.000002", true),
        ("1000", "1", true),
        ("1000000", "1000000", true),
        ("0.000000000000000001", "1000000", true),
        // The value of one lot at one tick alone is beyond the number format.
        ("999999999999999999", "999999999999999999", false),
    ] {
        let mut venue = Venue::new();
        let terms = MarketTerms {
            tick_size: amount(tick),
            lot_size: amount(lot),
            max_price: Ticks(1_000),
            max_quantity: Lots(1_000),
            ..usdt_btc()
        };
        let outcome = list_market(&mut venue, terms);
        if listed {
            assert!(matches!(outcome, Outcome::Done { created: Some(_) }), "{tick} × {lot}");
        } else {
            let message = "tick × lot is not a whole number of 10^-18";
            assert_eq!(message_of(outcome), message, "{tick} × {lot}");
            assert_eq!(code_of(outcome), Code::InvalidSchema);
        }
        venue.check();
    }
}

fn network(name: &str) -> NetworkTerms {
    NetworkTerms {
        network: label(name),
        min_withdrawal: amount("1"),
        withdrawal_fee: amount("0.1"),
        confirmations: 12,
        deposits_open: true,
        withdrawals_open: false,
    }
}

/// Also what the byte form refuses is refused here, since nothing says where a command comes from.
#[test]
fn assets_and_accounts_are_checked() {
    let mut venue = Venue::new();
    let good = asset("DOGE", 8);
    let below = NetworkTerms { withdrawal_fee: Amount(-1), ..network("x") };
    let beyond = NetworkTerms { min_withdrawal: Amount::COMMAND_END, ..network("x") };
    for bad in [
        AssetTerms { symbol: label(""), ..good.clone() },
        AssetTerms { symbol: label("doge"), ..good.clone() },
        AssetTerms { symbol: label("DO/GE"), ..good.clone() },
        AssetTerms { symbol: label("ABCDEFGHIJKLMNOPQ"), ..good.clone() },
        AssetTerms { symbol: label("BTC"), ..good.clone() },
        AssetTerms { decimals: 19, ..good.clone() },
        AssetTerms { collateral_weight: Rate(-1), ..good.clone() },
        AssetTerms { collateral_weight: Rate(100_000_001), ..good.clone() },
        AssetTerms { networks: vec![below], ..good.clone() },
        AssetTerms { networks: vec![network("ok"), beyond], ..good.clone() },
    ] {
        assert_eq!(code_of(list_asset(&mut venue, bad.clone())), Code::InvalidSchema, "{bad:?}");
        assert_eq!(venue.names(), ["CommandRejected"]);
    }
    let pairs = |count: usize| {
        (0..count).map(|index| (label(&format!("{index:02}")), label("v"))).collect::<Vec<_>>()
    };
    let twice = vec![(label("a"), label("1")), (label("a"), label("2"))];
    for bad in [
        schema::AccountOpening { external_id: label(""), ..opening("x") },
        schema::AccountOpening { kyc_tier: 4, ..opening("x") },
        schema::AccountOpening { metadata: twice, ..opening("x") },
        schema::AccountOpening { metadata: pairs(17), ..opening("x") },
    ] {
        assert_eq!(venue.refuse(Command::CreateAccount(bad)), Code::InvalidSchema);
        assert_eq!(venue.names(), ["CommandRejected"]);
    }
    let most = schema::AccountOpening { metadata: pairs(16), ..opening("x") };
    Venue::created(venue.run(Command::CreateAccount(most)));
    venue.check();
}

/// One network more than an asset may have. The command cannot even be signed, let alone stored, so
/// it is made with the signature of another.
#[test]
fn too_many_networks_never_reach_the_log() {
    let mut venue = Venue::new();
    let good = AssetTerms { networks: vec![network("n"); 16], ..asset("DOGE", 8) };
    let key = venue.key();
    let until = Timestamp(venue.now.0 + 1_000_000);
    let signed = venue.sign(&key, until, |operator| Command::ListAsset(good.clone(), operator));
    let Command::ListAsset(terms, operator) = signed else { panic!("it was made so") };
    let more = AssetTerms { networks: vec![network("n"); 17], ..terms.clone() };
    let other = venue.key();
    let outcome = venue.run_keyed(Command::ListAsset(more, operator), Some(other)).outcome;
    assert_eq!(code_of(outcome), Code::InvalidSchema);
    let outcome = venue.run_keyed(Command::ListAsset(terms, operator), Some(key)).outcome;
    assert!(matches!(outcome, Outcome::Done { created: Some(_) }));
    venue.check();
}

/// The events repeat every parameter of their commands, and applying them sets every one.
/// covers: ACCT-70, EVT-87
#[test]
fn listings_are_rebuilt_from_their_events() {
    let mut venue = Venue::new();
    let doge = AssetTerms {
        symbol: label("DOGE"),
        name: label("Dogecoin"),
        decimals: 7,
        is_collateral: false,
        collateral_weight: Rate(12_345_678),
        networks: vec![network("one"), network("two")],
    };
    list_asset(&mut venue, doge.clone());
    assert_eq!(venue.events[0].1, Event::AssetListed(schema::AssetListed { terms: doge.clone() }));
    let tier = |above, maker, taker| FeeTier {
        above: Amount::from_units(above),
        maker: Rate(maker),
        taker: Rate(taker),
    };
    let terms = MarketTerms {
        symbol: label("DOGE/BTC"),
        base: label("DOGE"),
        quote: label("BTC"),
        tick_size: amount("0.00000001"),
        lot_size: amount("0.5"),
        min_price: Ticks(2),
        max_price: Ticks(2_000),
        min_quantity: Lots(3),
        max_quantity: Lots(3_000),
        protection_bound: Rate(7),
        price_band: None,
        open_orders_max: 11,
        fee_tiers: vec![tier(0, 1, 2), tier(5, -3, 4)],
        ..btc_usdt()
    };
    list_market(&mut venue, terms.clone());
    let listed = Event::MarketListed(schema::MarketListed { terms: terms.clone() });
    assert_eq!(venue.events[0].1, listed);
    let alice = schema::AccountOpening {
        account_type: AccountType::Futures,
        owner_id: Some(Id([6; 16])),
        jurisdiction: label("LI"),
        kyc_tier: 3,
        risk_tier: schema::RiskTier::Raised,
        order_tier: schema::OrderTier::MarketMaker,
        api_class: schema::ApiClass::Institutional,
        metadata: vec![(label("k"), label("v"))],
        ..opening("alice")
    };
    let id = Venue::created(venue.run(Command::CreateAccount(alice.clone())));
    // The replayed kernel has seen events only.
    let kernel = &venue.replayed;
    assert_eq!(kernel.asset(kernel.asset_number(&doge.symbol).expect("listed")), Some(&doge));
    let number = kernel.market_number(&terms.symbol).expect("listed");
    let market = kernel.market(number).expect("listed");
    assert_eq!((&market.terms, market.open), (&terms, true));
    assert_eq!(kernel.rates(8, number), Some(terms.fee_tiers[0]));
    let number = kernel.account_number(id).expect("opened");
    assert_eq!(kernel.account(number).expect("opened").opening(), alice);
    venue.check();
}

/// The id of an entity is that of the event that creates it, and every event creates one at most.
/// covers: EVT-9, LIFE-17
#[test]
fn an_entitys_id_is_that_of_its_event() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let mut orders = Vec::new();
    for _ in 0..3 {
        let order = venue.accept(limit(alice, Buy, "1", "100"));
        let (head, event) = &venue.events[0];
        assert!(matches!(event, Event::OrderSubmitted(_)));
        assert_eq!(Id::derive(head.timestamp, 0, head.sequence), Ok(order));
        assert!(order.is_derived());
        orders.push(order);
        venue.now.0 += 1_000_000;
    }
    assert!(orders.is_sorted(), "ids sort by time");
    let bob = Venue::created(venue.run(Command::CreateAccount(opening("bob"))));
    let (head, _) = &venue.events[0];
    assert_eq!(Id::derive(head.timestamp, 0, head.sequence), Ok(bob));
    let doge = Venue::created(venue.list(|op| Command::ListAsset(asset("DOGE", 8), op)));
    let (head, _) = &venue.events[0];
    assert_eq!(Id::derive(head.timestamp, 0, head.sequence), Ok(doge));
    let market = venue.list(|op| Command::ListMarket(usdt_btc(), op));
    let (head, _) = &venue.events[0];
    assert_eq!(Id::derive(head.timestamp, 0, head.sequence), Ok(Venue::created(market)));
    let unknown = SymbolRef::Listed(3);
    venue.reject(schema::OrderRequest { symbol: unknown, ..limit(alice, Buy, "1", "1") });
}
