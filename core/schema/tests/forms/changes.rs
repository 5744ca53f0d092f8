//! Random commands and events of what changes: orders, markets, rates, profiles, transfers, countdowns.
//!
//! One function for each body and each payload of `change_codec.rs`; `generate.rs` says which kind has
//! which.

use schema::limits::FEE_TIER_COUNT_MAX;
use schema::{
    AccountProfileChanged, AccountRates, AccountTransferred, ApiClass, CancelAllOrders,
    CountdownCancel, CountdownCancelChanged, FeeKind, FeeRefund, FeeRefunded, FeeSchedule,
    FeeScheduleChanged, FeeTier, FeeTierChanged, HaltReason, HaltScope, InvariantViolated,
    MarketChange, MarketParameters, MarketParametersChanged, OrderReduced, OrderTier,
    OrderTriggered, ParameterChange, ProfileChange, Quarantine, RatesChange, ReduceOrder,
    ReduceReason, RefundReason, ReplaceOrder, RiskTier, TradingHalt, TradingHalted, TradingResumed,
    Transfer, WaiverReason,
};
use units::{Lots, Ticks};

use crate::generate::{asset_ref, order, symbol};
use crate::random::Random;

pub(crate) fn tiers(random: &mut Random) -> Vec<FeeTier> {
    random.list(FEE_TIER_COUNT_MAX, |random| FeeTier {
        above: random.amount(),
        maker: random.rate(),
        taker: random.rate(),
    })
}

pub(crate) fn transfer(random: &mut Random) -> Transfer {
    Transfer {
        from: random.id(),
        to: random.id(),
        asset: asset_ref(random),
        amount: random.amount(),
    }
}

pub(crate) fn market_change(random: &mut Random) -> MarketChange {
    MarketChange { symbol: symbol(random), reason: random.label(), actor: random.label() }
}

fn parameters(random: &mut Random) -> MarketParameters {
    MarketParameters {
        min_price: random.option(|random| Ticks(random.u64())),
        max_price: random.option(|random| Ticks(random.u64())),
        min_quantity: random.option(|random| Lots(random.u64())),
        max_quantity: random.option(|random| Lots(random.u64())),
        protection_bound: random.option(Random::rate),
        price_band: random.option(|random| random.option(Random::rate)),
        open_orders_max: random.option(Random::u32),
    }
}

pub(crate) fn parameter_change(random: &mut Random) -> ParameterChange {
    ParameterChange { symbol: symbol(random), parameters: parameters(random) }
}

pub(crate) fn schedule(random: &mut Random) -> FeeSchedule {
    FeeSchedule { tiers: tiers(random), effective_at: random.option(Random::time) }
}

pub(crate) fn rates_change(random: &mut Random) -> RatesChange {
    let rates = match *random.pick(FeeKind::ALL) {
        FeeKind::Volume => AccountRates::Volume,
        FeeKind::Vip => AccountRates::Own { maker: random.rate(), taker: random.rate() },
        FeeKind::Waiver => AccountRates::Waiver {
            reason: *random.pick(WaiverReason::ALL),
            ends_at: random.option(Random::time),
        },
    };
    RatesChange { account: random.id(), rates, effective_at: random.option(Random::time) }
}

pub(crate) fn profile_change(random: &mut Random) -> ProfileChange {
    ProfileChange {
        account: random.id(),
        kyc_tier: random.byte(),
        jurisdiction: random.label(),
        risk_tier: *random.pick(RiskTier::ALL),
        order_tier: *random.pick(OrderTier::ALL),
        api_class: *random.pick(ApiClass::ALL),
        fee_in_token: random.coin(),
    }
}

pub(crate) fn reduce(random: &mut Random) -> ReduceOrder {
    ReduceOrder {
        account: random.id(),
        order: random.id(),
        quantity: random.amount(),
        state_seq: random.option(Random::u64),
    }
}

pub(crate) fn replace(random: &mut Random) -> ReplaceOrder {
    ReplaceOrder {
        order: random.id(),
        state_seq: random.option(Random::u64),
        request: order(random),
    }
}

pub(crate) fn cancel_all(random: &mut Random) -> CancelAllOrders {
    CancelAllOrders { account: random.id(), symbol: random.option(symbol) }
}

pub(crate) fn countdown(random: &mut Random) -> CountdownCancel {
    CountdownCancel { account: random.id(), timeout: random.u64() }
}

pub(crate) fn parameters_changed(random: &mut Random) -> MarketParametersChanged {
    MarketParametersChanged { market: random.u32(), parameters: parameters(random) }
}

pub(crate) fn schedule_changed(random: &mut Random) -> FeeScheduleChanged {
    FeeScheduleChanged { tiers: tiers(random), effective_at: random.time() }
}

pub(crate) fn tier_changed(random: &mut Random) -> FeeTierChanged {
    FeeTierChanged {
        account: random.u32(),
        volume_30d: random.amount(),
        old_tier: random.byte(),
        new_tier: random.byte(),
        maker: random.rate(),
        taker: random.rate(),
        kind: *random.pick(FeeKind::ALL),
        effective_at: random.time(),
        ends_at: random.option(Random::time),
        reason: random.option(|random| *random.pick(WaiverReason::ALL)),
    }
}

pub(crate) fn profile_changed(random: &mut Random) -> AccountProfileChanged {
    AccountProfileChanged {
        account: random.u32(),
        kyc_tier: random.byte(),
        jurisdiction: random.label(),
        risk_tier: *random.pick(RiskTier::ALL),
        order_tier: *random.pick(OrderTier::ALL),
        api_class: *random.pick(ApiClass::ALL),
        fee_in_token: random.coin(),
    }
}

pub(crate) fn transferred(random: &mut Random) -> AccountTransferred {
    AccountTransferred {
        from: random.u32(),
        to: random.u32(),
        asset: random.u32(),
        amount: random.amount(),
    }
}

pub(crate) fn refund(random: &mut Random) -> FeeRefund {
    FeeRefund {
        trade: random.id(),
        account: random.id(),
        asset: asset_ref(random),
        fee: random.amount(),
        amount: random.amount(),
        reason: *random.pick(RefundReason::ALL),
        actor: random.label(),
    }
}

pub(crate) fn refunded(random: &mut Random) -> FeeRefunded {
    FeeRefunded {
        trade: random.id(),
        account: random.u32(),
        asset: random.u32(),
        fee: random.amount(),
        amount: random.amount(),
        reason: *random.pick(RefundReason::ALL),
        actor: random.label(),
    }
}

pub(crate) fn countdown_changed(random: &mut Random) -> CountdownCancelChanged {
    CountdownCancelChanged { account: random.u32(), deadline: random.option(Random::time) }
}

pub(crate) fn reduced(random: &mut Random, order: u64) -> OrderReduced {
    OrderReduced { order, total: Lots(random.u64()), reason: *random.pick(ReduceReason::ALL) }
}

pub(crate) fn triggered(random: &mut Random, order: u64) -> OrderTriggered {
    OrderTriggered { order, observed: Ticks(random.u64()) }
}

pub(crate) fn quarantine(random: &mut Random) -> Quarantine {
    Quarantine {
        command: random.u64(),
        invariant: random.label(),
        left: random.label(),
        right: random.label(),
        actor: random.label(),
    }
}

pub(crate) fn violated(random: &mut Random) -> InvariantViolated {
    InvariantViolated {
        command: random.u64(),
        invariant: random.label(),
        left: random.label(),
        right: random.label(),
        state_hash: random.array(),
        quarantined_by: random.label(),
    }
}

pub(crate) fn halt(random: &mut Random) -> TradingHalt {
    TradingHalt { reason: *random.pick(HaltReason::ALL), actor: random.label() }
}

pub(crate) fn resumed(random: &mut Random) -> TradingResumed {
    TradingResumed { scope: *random.pick(HaltScope::ALL), actor: random.label() }
}

pub(crate) fn halted(random: &mut Random) -> TradingHalted {
    TradingHalted {
        scope: *random.pick(HaltScope::ALL),
        reason: *random.pick(HaltReason::ALL),
        actor: random.label(),
        expires_at: random.coin().then(|| random.time()),
    }
}
