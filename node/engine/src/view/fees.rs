//! What a query about fees answers: the tiers, an account's rates, what an order would cost.

use port::{
    AccountFeesView, AnnouncedRates, FeeScheduleView, OrderPreview, REFUND_COUNT_SHOWN, RefundView,
};
use schema::{Code, OrderRequest, Refusal, SymbolRef, Why};

use super::View;

impl View {
    /// The fee tiers of the shard.
    pub(super) fn fee_schedule(&self) -> FeeScheduleView {
        let announced = self.kernel.announced_tiers();
        FeeScheduleView {
            tiers: self.kernel.fee_tiers().to_vec(),
            announced: announced.map(|(time, tiers)| (time, tiers.to_vec())),
        }
    }

    /// The fees of an account.
    pub(super) fn account_fees(&self, number: u32) -> Option<AccountFeesView> {
        let rates = self.kernel.rates_in_force(number)?;
        let (tier, volume_30d) = self.kernel.fee_tier(number)?;
        Some(AccountFeesView {
            account_id: self.kernel.account(number)?.id,
            kind: rates.kind,
            maker_rate: rates.maker,
            taker_rate: rates.taker,
            volume_30d,
            tier,
            next_tier: self.kernel.fee_tiers().get(usize::from(tier) + 1).copied(),
            waiver: rates.waiver.map(|(reason, _)| reason),
            waiver_ends_at: rates.waiver.and_then(|(_, end)| end),
            announced: rates.announced.map(|announced| AnnouncedRates {
                kind: announced.kind,
                maker_rate: announced.maker,
                taker_rate: announced.taker,
                effective_at: announced.effective_at,
            }),
            refunds: self.refunds(number),
        })
    }

    /// The latest fees of an account of which something was given back.
    fn refunds(&self, number: u32) -> Vec<RefundView> {
        let latest = self.kernel.refunds_of(number).take(REFUND_COUNT_SHOWN);
        let shown = latest.filter_map(|kept| {
            Some(RefundView {
                trade_id: kept.trade,
                asset: self.kernel.asset(kept.asset)?.symbol,
                fee: kept.fee,
                refunded: kept.refunded,
            })
        });
        shown.collect()
    }

    /// What an order would be and cost, were it placed now.
    pub(super) fn preview(&self, request: &OrderRequest) -> Result<OrderPreview, Refusal> {
        let preview = self.kernel.preview(request)?;
        let missing = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
        let number = match &request.symbol {
            SymbolRef::Listed(number) => Some(*number),
            SymbolRef::Unknown(text) => self.kernel.market_number(text),
        };
        let market = number.and_then(|number| self.kernel.market(number)).ok_or(missing)?;
        let asset = self.kernel.asset(preview.reserved_asset).ok_or(missing)?;
        Ok(OrderPreview {
            symbol: market.terms.symbol,
            maker_rate: preview.rates.maker,
            taker_rate: preview.rates.taker,
            price: preview.ticks.map(|ticks| market.price(ticks)),
            quantity: market.quantity(preview.lots),
            value: preview.value,
            maker_fee: preview.maker_fee,
            taker_fee: preview.taker_fee,
            reserved: preview.reserve,
            reserved_asset: asset.symbol,
            available: preview.available,
        })
    }
}
