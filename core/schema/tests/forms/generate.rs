//! Random commands and events of a given kind; nothing for a kind that a later version opens.
//!
//! The matches name every kind, so a kind that is opened without a generator does not compile.

use schema::limits::{METADATA_COUNT_MAX, NETWORK_COUNT_MAX};
use schema::{
    AccountCreated, AccountOpening, AccountStatus, AccountStatusChanged, AccountType, ApiClass,
    AssetListed, AssetRef, AssetTerms, BalanceUpdated, Bucket, CancelOrder, ClockStatus,
    ClockStatusChanged, Code, Command, CommandCompleted, CommandKind, CommandRejected, Detail,
    Event, EventKind, ExpiryReason, Fill, Genesis, GenesisRecorded, HoldReason, Key, KeyOrigin,
    LeaderChanged, LedgerEntry, MarginMoved, MarketKind, MarketListed, MarketStateChanged,
    MarketTerms, Matching, NetworkTerms, Operator, OrderAccepted, OrderEnded, OrderRejected,
    OrderRequest, OrderSubmitted, OrderTerms, OrderTier, OrderType, Party, PositionSide, Posting,
    Reference, ReleaseReason, RiskTier, SelfTrade, SnapshotTaken, Stamped, StateHashRecorded,
    StatusChange, SymbolRef, TimeInForce, TradeExecuted, TradeSettled, Trigger, TriggerKind,
    TriggerSource, UpdateReason, Why,
};
use units::{Amount, Lots, Side, Ticks};

use crate::changes::{self, tiers};
use crate::random::Random;

/// A command of `kind` with a random stamp around it.
pub(crate) fn stamped(random: &mut Random, kind: CommandKind) -> Option<Stamped> {
    let command = command(random, kind)?;
    Some(Stamped {
        sequence: random.u64(),
        stamp: random.time(),
        fallback_clock: random.coin(),
        correlation: random.option(Random::id),
        key: random.option(key),
        command,
        account_version: random.option(Random::u64),
    })
}

fn key(random: &mut Random) -> Key {
    let origin = if random.coin() {
        KeyOrigin::Client
    } else {
        KeyOrigin::Gateway { valid_until: random.time() }
    };
    let text = random.option(Random::label);
    Key { key_hash: random.array(), body_hash: random.array(), origin, text }
}

fn operator(random: &mut Random) -> Operator {
    Operator { valid_until: random.time(), signature: random.array() }
}

fn command(random: &mut Random, kind: CommandKind) -> Option<Command> {
    use CommandKind as K;
    Some(match kind {
        K::Genesis => Command::Genesis(genesis(random)),
        K::Tick => Command::Tick,
        K::LeaderChanged => Command::LeaderChanged { term: random.u64(), leader: random.label() },
        K::RecordStateHash => {
            Command::RecordStateHash { at_sequence: random.u64(), state_hash: random.array() }
        }
        K::RecordSnapshot => Command::RecordSnapshot {
            snapshot_sequence: random.u64(),
            snapshot_timestamp: random.time(),
            checksum: random.array(),
        },
        K::RecordClockStatus => Command::RecordClockStatus {
            from: *random.pick(ClockStatus::ALL),
            to: *random.pick(ClockStatus::ALL),
            skew: random.amount(),
        },
        K::Quarantine => Command::Quarantine(changes::quarantine(random), operator(random)),
        K::HaltTrading => Command::HaltTrading(changes::halt(random), operator(random)),
        K::ResumeTrading => Command::ResumeTrading(random.label(), operator(random)),
        K::ConfirmClock => Command::ConfirmClock(random.label(), operator(random)),
        K::ListAsset => Command::ListAsset(asset(random), operator(random)),
        K::ListMarket => Command::ListMarket(market(random), operator(random)),
        K::CreateAccount => Command::CreateAccount(opening(random)),
        K::SetAccountStatus => {
            let change = StatusChange {
                account: random.id(),
                to: *random.pick(AccountStatus::ALL),
                reason: random.label(),
                actor: random.label(),
            };
            Command::SetAccountStatus(change, operator(random))
        }
        K::Deposit => Command::Deposit(entry(random)),
        K::Withdraw => Command::Withdraw(entry(random)),
        K::PlaceOrder => Command::PlaceOrder(order(random)),
        K::CancelOrder => Command::CancelOrder(CancelOrder {
            account: random.id(),
            order: random.id(),
            state_seq: random.option(Random::u64),
        }),
        K::Transfer => Command::Transfer(changes::transfer(random)),
        K::PauseMarket => Command::PauseMarket(changes::market_change(random), operator(random)),
        K::ResumeMarket => Command::ResumeMarket(changes::market_change(random), operator(random)),
        K::SetMarketParameters => {
            Command::SetMarketParameters(changes::parameter_change(random), operator(random))
        }
        K::SetFeeSchedule => Command::SetFeeSchedule(changes::schedule(random), operator(random)),
        K::RefundFee => Command::RefundFee(changes::refund(random), operator(random)),
        K::SetAccountRates => {
            Command::SetAccountRates(changes::rates_change(random), operator(random))
        }
        K::SetAccountProfile => {
            Command::SetAccountProfile(changes::profile_change(random), operator(random))
        }
        K::ReduceOrder => Command::ReduceOrder(changes::reduce(random)),
        K::ReplaceOrder => Command::ReplaceOrder(changes::replace(random)),
        K::CancelAllOrders => Command::CancelAllOrders(changes::cancel_all(random)),
        K::SetCountdownCancel => Command::SetCountdownCancel(changes::countdown(random)),
        K::DelistMarket | K::SetAssetParameters | K::PlaceOrders => return None,
    })
}

fn genesis(random: &mut Random) -> Genesis {
    Genesis {
        venue_id: random.id(),
        shard: random.u16(),
        operator_key: random.array(),
        key_count_max: random.u64(),
        fee_tiers: tiers(random),
    }
}

fn asset(random: &mut Random) -> AssetTerms {
    AssetTerms {
        symbol: random.label(),
        name: random.label(),
        decimals: random.byte(),
        is_collateral: random.coin(),
        collateral_weight: random.rate(),
        networks: random.list(NETWORK_COUNT_MAX, |random| NetworkTerms {
            network: random.label(),
            min_withdrawal: random.amount(),
            withdrawal_fee: random.amount(),
            confirmations: random.u32(),
            deposits_open: random.coin(),
            withdrawals_open: random.coin(),
        }),
    }
}

fn market(random: &mut Random) -> MarketTerms {
    MarketTerms {
        symbol: random.label(),
        kind: *random.pick(MarketKind::ALL),
        base: random.label(),
        quote: random.label(),
        tick_size: random.amount(),
        lot_size: random.amount(),
        min_price: Ticks(random.u64()),
        max_price: Ticks(random.u64()),
        min_quantity: Lots(random.u64()),
        max_quantity: Lots(random.u64()),
        matching: *random.pick(Matching::ALL),
        protection_bound: random.rate(),
        price_band: random.option(Random::rate),
        open_orders_max: random.u32(),
        fee_tiers: tiers(random),
        post_only_until: random.option(Random::time),
    }
}

fn opening(random: &mut Random) -> AccountOpening {
    let mut metadata = random.list(METADATA_COUNT_MAX, |random| (random.label(), random.label()));
    metadata.sort_by_key(|pair| pair.0);
    metadata.dedup_by_key(|pair| pair.0);
    AccountOpening {
        account_type: *random.pick(AccountType::ALL),
        external_id: random.label(),
        owner_id: random.option(Random::id),
        jurisdiction: random.label(),
        kyc_tier: random.byte(),
        risk_tier: *random.pick(RiskTier::ALL),
        order_tier: *random.pick(OrderTier::ALL),
        api_class: *random.pick(ApiClass::ALL),
        metadata,
    }
}

fn entry(random: &mut Random) -> LedgerEntry {
    LedgerEntry {
        account: random.id(),
        asset: asset_ref(random),
        amount: random.amount(),
        reference: random.id(),
    }
}

pub(crate) fn asset_ref(random: &mut Random) -> AssetRef {
    if random.coin() { AssetRef::Listed(random.u32()) } else { AssetRef::Unknown(random.label()) }
}

fn side(random: &mut Random) -> Side {
    if random.coin() { Side::Buy } else { Side::Sell }
}

pub(crate) fn symbol(random: &mut Random) -> SymbolRef {
    if random.coin() { SymbolRef::Listed(random.u32()) } else { SymbolRef::Unknown(random.label()) }
}

fn trigger(random: &mut Random) -> Trigger {
    Trigger {
        kind: *random.pick(TriggerKind::ALL),
        price: random.amount(),
        source: *random.pick(TriggerSource::ALL),
    }
}

pub(crate) fn order(random: &mut Random) -> OrderRequest {
    OrderRequest {
        account: random.id(),
        client_order_id: random.option(Random::label),
        symbol: symbol(random),
        side: side(random),
        order_type: *random.pick(OrderType::ALL),
        quantity: random.amount(),
        price: random.option(Random::amount),
        time_in_force: *random.pick(TimeInForce::ALL),
        expire_at: random.option(Random::time),
        post_only: random.coin(),
        reduce_only: random.coin(),
        self_trade: *random.pick(SelfTrade::ALL),
        trigger: random.option(trigger),
        oco_with: random.option(Random::id),
        position_side: random.option(|random| *random.pick(PositionSide::ALL)),
        by_quote: random.coin(),
    }
}

/// An event of `kind` whose number is `sequence`, from 2 on.
#[expect(clippy::too_many_lines, reason = "a flat match, one arm a kind")]
pub(crate) fn event(random: &mut Random, kind: EventKind, sequence: u64) -> Option<Event> {
    use EventKind as K;
    let earlier = |random: &mut Random| 1 + random.u64() % (sequence - 1);
    Some(match kind {
        K::GenesisRecorded => Event::GenesisRecorded(GenesisRecorded {
            genesis: genesis(random),
            configuration_hash: random.array(),
        }),
        K::LeaderChanged => {
            Event::LeaderChanged(LeaderChanged { term: random.u64(), leader: random.label() })
        }
        K::StateHashRecorded => Event::StateHashRecorded(StateHashRecorded {
            at_sequence: random.u64(),
            state_hash: random.array(),
        }),
        K::SnapshotTaken => Event::SnapshotTaken(SnapshotTaken {
            snapshot_sequence: random.u64(),
            snapshot_timestamp: random.time(),
            checksum: random.array(),
        }),
        K::ClockStatusChanged => Event::ClockStatusChanged(ClockStatusChanged {
            from: *random.pick(ClockStatus::ALL),
            to: *random.pick(ClockStatus::ALL),
            skew: random.amount(),
        }),
        K::InvariantViolated => Event::InvariantViolated(changes::violated(random)),
        K::TradingHalted => Event::TradingHalted(changes::halted(random)),
        K::TradingResumed => Event::TradingResumed(changes::resumed(random)),
        K::AssetListed => Event::AssetListed(AssetListed { terms: asset(random) }),
        K::MarketListed => Event::MarketListed(MarketListed { terms: market(random) }),
        K::MarketPaused => Event::MarketPaused(market_state(random)),
        K::MarketResumed => Event::MarketResumed(market_state(random)),
        K::AccountCreated => Event::AccountCreated(AccountCreated { opening: opening(random) }),
        K::AccountStatusChanged => Event::AccountStatusChanged(AccountStatusChanged {
            account: random.u32(),
            from: *random.pick(AccountStatus::ALL),
            to: *random.pick(AccountStatus::ALL),
            reason: random.label(),
            actor: random.label(),
        }),
        K::BalanceUpdated => Event::BalanceUpdated(balance_updated(random, earlier)),
        K::MarginReserved => Event::MarginReserved(MarginMoved {
            order: earlier(random),
            amount: random.amount(),
            reason: *random.pick(HoldReason::ALL),
        }),
        K::MarginReleased => Event::MarginReleased(MarginMoved {
            order: earlier(random),
            amount: random.amount(),
            reason: *random.pick(ReleaseReason::ALL),
        }),
        K::OrderSubmitted => Event::OrderSubmitted(submitted(random, earlier)),
        K::OrderAccepted => Event::OrderAccepted(OrderAccepted { order: earlier(random) }),
        K::OrderRejected => Event::OrderRejected(OrderRejected {
            order: earlier(random),
            reason: code(random, |code| code.uses().rejects),
            detail: detail(random),
        }),
        K::OrderPartiallyFilled => Event::OrderPartiallyFilled(fill(random, earlier)),
        K::OrderFilled => Event::OrderFilled(fill(random, earlier)),
        K::OrderCanceled => Event::OrderCanceled(OrderEnded {
            order: earlier(random),
            reason: code(random, |code| code.uses().cancels),
        }),
        K::OrderExpired => Event::OrderExpired(OrderEnded {
            order: earlier(random),
            reason: *random.pick(ExpiryReason::ALL),
        }),
        K::TradeExecuted => Event::TradeExecuted(TradeExecuted {
            maker: earlier(random),
            taker: earlier(random),
            ticks: Ticks(random.u64()),
            lots: Lots(random.u64()),
        }),
        K::TradeSettled => Event::TradeSettled(TradeSettled {
            trade: earlier(random),
            maker_fee: random.amount(),
            taker_fee: random.amount(),
        }),
        K::CommandRejected => {
            let command = *random.pick(CommandKind::ALL);
            let is_replacement = command == CommandKind::ReplaceOrder;
            let fits = |code: &Code| code.uses().refuses || (is_replacement && code.uses().rejects);
            Event::CommandRejected(CommandRejected {
                command,
                party: party(random),
                code: code(random, fits),
                detail: detail(random),
            })
        }
        K::CommandCompleted => Event::CommandCompleted(CommandCompleted {
            command: *random.pick(CommandKind::ALL),
            party: party(random),
        }),
        K::MarketParametersChanged => {
            Event::MarketParametersChanged(changes::parameters_changed(random))
        }
        K::FeeScheduleChanged => Event::FeeScheduleChanged(changes::schedule_changed(random)),
        K::FeeTierChanged => Event::FeeTierChanged(changes::tier_changed(random)),
        K::AccountProfileChanged => Event::AccountProfileChanged(changes::profile_changed(random)),
        K::AccountTransferred => Event::AccountTransferred(changes::transferred(random)),
        K::FeeRefunded => Event::FeeRefunded(changes::refunded(random)),
        K::CountdownCancelChanged => {
            Event::CountdownCancelChanged(changes::countdown_changed(random))
        }
        K::OrderReduced => {
            let order = earlier(random);
            Event::OrderReduced(changes::reduced(random, order))
        }
        K::OrderTriggered => {
            let order = earlier(random);
            Event::OrderTriggered(changes::triggered(random, order))
        }
        K::CoreVersionActivated
        | K::AssetParametersChanged
        | K::AssetDelisted
        | K::MarketDelisted
        | K::DepositConfirmed => return None,
    })
}

fn market_state(random: &mut Random) -> MarketStateChanged {
    MarketStateChanged { market: random.u32(), reason: random.label(), actor: random.label() }
}

fn balance_updated(random: &mut Random, earlier: impl Fn(&mut Random) -> u64) -> BalanceUpdated {
    let reference = if random.coin() {
        Reference::Event(earlier(random))
    } else {
        Reference::Outside(random.id())
    };
    let mut event = BalanceUpdated::new(*random.pick(UpdateReason::ALL), reference);
    for _ in 0..random.below(BalanceUpdated::POSTING_COUNT_MAX + 1) {
        event.post(Posting {
            account: random.u32(),
            asset: random.u32(),
            bucket: *random.pick(Bucket::ALL),
            delta: random.amount(),
        });
    }
    event
}

fn submitted(random: &mut Random, earlier: impl Fn(&mut Random) -> u64) -> OrderSubmitted {
    let request = order(random);
    let terms = if random.coin() {
        OrderTerms::Checked {
            account: random.u32(),
            market: random.u32(),
            ticks: Ticks(random.u64()),
            lots: Lots(random.u64()),
        }
    } else {
        OrderTerms::Requested {
            account: request.account,
            symbol: request.symbol,
            price: request.price,
            quantity: request.quantity,
            by_quote: request.by_quote,
        }
    };
    OrderSubmitted {
        terms,
        side: request.side,
        order_type: request.order_type,
        time_in_force: request.time_in_force,
        post_only: request.post_only,
        reduce_only: request.reduce_only,
        self_trade: request.self_trade,
        client_order_id: request.client_order_id,
        expire_at: request.expire_at,
        trigger: request.trigger,
        oco_with: request.oco_with,
        position_side: request.position_side,
        replaces: random.option(earlier),
    }
}

fn fill(random: &mut Random, earlier: impl Fn(&mut Random) -> u64) -> Fill {
    Fill {
        order: earlier(random),
        ticks: Ticks(random.u64()),
        lots: Lots(random.u64()),
        fee: random.amount(),
    }
}

fn code(random: &mut Random, fits: impl Fn(&Code) -> bool) -> Code {
    let codes: Vec<Code> = Code::ALL.iter().copied().filter(fits).collect();
    *random.pick(&codes)
}

fn detail(random: &mut Random) -> Detail {
    if random.coin() {
        return Detail::Why(*random.pick(Why::ALL));
    }
    let (available, required): (Amount, Amount) = (random.amount(), random.amount());
    Detail::Balance { available, required, asset: random.label() }
}

fn party(random: &mut Random) -> Party {
    Party {
        account: random.option(Random::id),
        target: random.option(Random::id),
        idempotency_key: random.option(Random::label),
    }
}
