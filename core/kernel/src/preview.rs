//! What is read before a decision: the fees of an account, and what an order would cost.
//!
//! A preview takes the checks of placing up to the quantity, so that it says what placing would say, and
//! then the figures of placing. It leaves out balance, limits and the book's depth: what it answers is
//! the worst case (LIFE-18). Nothing here changes anything.

use schema::{Code, FeeKind, FeeTier, FeeTierChanged, OrderRequest, Refusal, WaiverReason, Why};
use units::{Amount, Lots, Rate, Ticks, Timestamp};

use crate::rates::row;
use crate::{Kernel, Watch};

/// The rates of an account, and where they come from (FEE-42, FEE-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatesInForce {
    /// Where they come from.
    pub kind: FeeKind,
    /// Rate of the side that rested, where a market has no tiers of its own.
    pub maker: Rate,
    /// Rate of the side that came in, likewise.
    pub taker: Rate,
    /// Why there is a waiver, and when it ends by itself.
    pub waiver: Option<(WaiverReason, Option<Timestamp>)>,
    /// What comes into force later.
    pub announced: Option<FeeTierChanged>,
}

/// What an order would be and cost, were it placed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderPreview {
    /// Rates of its account in its market.
    pub rates: FeeTier,
    /// Its limit, or the furthest price of a market order; absent with nobody opposite (LIFE-20).
    pub ticks: Option<Ticks>,
    /// Its quantity, also when it was given in quote.
    pub lots: Lots,
    /// Price × quantity.
    pub value: Amount,
    /// Fee on the whole value as a maker; negative for a rebate.
    pub maker_fee: Amount,
    /// Fee on the whole value as a taker.
    pub taker_fee: Amount,
    /// What it would reserve.
    pub reserve: Amount,
    /// Number of the asset of that.
    pub reserved_asset: u32,
    /// What the account has free of it.
    pub available: Amount,
}

impl<W: Watch> Kernel<W> {
    /// The rates of an account by the shard's table, its own or a waiver.
    #[must_use]
    pub fn rates_in_force(&self, account: u32) -> Option<RatesInForce> {
        let fees = self.fees.get(account as usize)?;
        let special = fees.special.as_deref();
        let tier = row(&self.schedule.tiers, fees.tier);
        let waiver = special.and_then(|special| special.waiver);
        let own = special.and_then(|special| special.own);
        let (kind, maker, taker) = match (waiver, own) {
            (Some(_), _) => (FeeKind::Waiver, Rate(0), Rate(0)),
            (None, Some((maker, taker))) => (FeeKind::Vip, maker, taker),
            (None, None) => (FeeKind::Volume, tier.maker, tier.taker),
        };
        let announced = special.and_then(|special| special.announced);
        Some(RatesInForce { kind, maker, taker, waiver, announced })
    }

    /// The table that takes the place of the shard's, and when.
    #[must_use]
    pub fn announced_tiers(&self) -> Option<(Timestamp, &[FeeTier])> {
        let announced = self.schedule.announced.as_ref()?;
        Some((announced.0, &announced.1))
    }

    /// What an order would be and cost, were it placed now.
    ///
    /// # Errors
    /// What placing it would be refused for before its balance is looked at.
    pub fn preview(&self, request: &OrderRequest) -> Result<OrderPreview, Refusal> {
        self.check_schema(request, None)?;
        let account = self.check_trader(request)?;
        let market = self.check_market(request, account)?;
        let ticks = self.check_price(market, request, None)?;
        let lots = self.check_quantity(market, request, (ticks, None))?;
        let too_large = Refusal::new(Code::InvalidQuantity, Why::ValueTooLarge);
        let rates = self.rates_of(account, market);
        let units = u128::from(ticks.0) * u128::from(lots.0);
        let value = market.value(units).ok_or(too_large)?;
        let fee = |rate| market.scale.fee(units, rate).map(|fee| fee.min(value)).ok_or(too_large);
        let need = market.requirement(request.side, (ticks, lots), rates.taker);
        let reserved_asset = market.reserved_asset(request.side);
        let meets_nobody = ticks == Ticks(0);
        Ok(OrderPreview {
            rates,
            ticks: (!meets_nobody).then_some(ticks),
            lots,
            value,
            maker_fee: fee(rates.maker)?,
            taker_fee: fee(rates.taker)?,
            reserve: if meets_nobody { Amount::ZERO } else { need.ok_or(too_large)? },
            reserved_asset,
            available: self.ledger.balance(account, reserved_asset).available,
        })
    }
}
