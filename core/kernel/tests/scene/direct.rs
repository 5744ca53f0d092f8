//! The operator's commands of a scene, signed, or unsigned when a stranger tries them.

use schema::{
    AccountRates, ApiClass, Command as Order, FeeRefund, FeeSchedule, Label, MarketChange,
    Operator, OrderTier, ParameterChange, ProfileChange, RatesChange, RefundReason, Reply,
    RiskTier, StatusChange, TradingHalt,
};
use units::Timestamp;

use super::acts::SequencerAct;
use super::operator::{OperatorAct, RatesWords};
use super::parse::Fault;
use super::setup::BEGIN;
use super::stage::Stage;
use crate::common::label;

fn at(time: i64) -> Timestamp {
    Timestamp(BEGIN.0 + time)
}

impl Stage {
    pub(crate) fn run_operator(
        &mut self,
        line: usize,
        act: &OperatorAct,
        signed: bool,
    ) -> Result<Reply, Fault> {
        let make = self.operator_command(line, act)?;
        let key = self.venue.key();
        let valid_until = Timestamp(self.venue.now.0 + 1_000_000_000);
        let command = if signed {
            self.venue.sign(&key, valid_until, make)
        } else {
            make(Operator { valid_until, signature: [0; 64] })
        };
        Ok(self.venue.run_stamped(command, Some(key)))
    }

    fn operator_command(
        &self,
        line: usize,
        act: &OperatorAct,
    ) -> Result<Box<dyn Fn(Operator) -> Order>, Fault> {
        let (reason, actor) = (label("scene"), label("operator"));
        let change = |symbol: &str, actor: Label| MarketChange {
            symbol: self.symbol_ref(symbol),
            reason: label("scene"),
            actor,
        };
        Ok(match act {
            OperatorAct::Pause { symbol } => {
                let change = change(symbol, actor);
                Box::new(move |operator| Order::PauseMarket(change, operator))
            }
            OperatorAct::Resume { symbol } => {
                let change = change(symbol, actor);
                Box::new(move |operator| Order::ResumeMarket(change, operator))
            }
            OperatorAct::Halt { reason } => {
                let halt = TradingHalt { reason: *reason, actor };
                Box::new(move |operator| Order::HaltTrading(halt, operator))
            }
            OperatorAct::ResumeTrading => {
                Box::new(move |operator| Order::ResumeTrading(actor, operator))
            }
            OperatorAct::ConfirmClock => {
                Box::new(move |operator| Order::ConfirmClock(actor, operator))
            }
            OperatorAct::Set { symbol, parameters } => {
                let symbol = self.symbol_ref(symbol);
                let change = ParameterChange { symbol, parameters: *parameters };
                Box::new(move |operator| Order::SetMarketParameters(change, operator))
            }
            OperatorAct::Status { account, to } => {
                let account = self.account_id(line, account)?;
                let change = StatusChange { account, to: *to, reason, actor };
                Box::new(move |operator| Order::SetAccountStatus(change, operator))
            }
            OperatorAct::Fees { tiers, from } => {
                let change = FeeSchedule { tiers: tiers.clone(), effective_at: from.map(at) };
                Box::new(move |operator| Order::SetFeeSchedule(change.clone(), operator))
            }
            OperatorAct::Rates { account, rates, from } => {
                let account = self.account_id(line, account)?;
                let rates = rates_of(*rates);
                let change = RatesChange { account, rates, effective_at: from.map(at) };
                Box::new(move |operator| Order::SetAccountRates(change, operator))
            }
            OperatorAct::Refund { amount, fee, asset, account, order } => {
                let refund = FeeRefund {
                    trade: self.trade_id(line, order)?,
                    account: self.account_id(line, account)?,
                    asset: self.asset_ref(asset),
                    fee: *fee,
                    amount: *amount,
                    reason: RefundReason::Malfunction,
                    actor,
                };
                Box::new(move |operator| Order::RefundFee(refund, operator))
            }
            OperatorAct::Profile { account, kyc_tier } => {
                let change = ProfileChange {
                    account: self.account_id(line, account)?,
                    kyc_tier: *kyc_tier,
                    jurisdiction: label("CH"),
                    risk_tier: RiskTier::Standard,
                    order_tier: OrderTier::Retail,
                    api_class: ApiClass::Standard,
                    fee_in_token: false,
                };
                Box::new(move |operator| Order::SetAccountProfile(change, operator))
            }
        })
    }
}

/// What the sequencer gives itself: no key, no approval.
pub(crate) fn sequencer_command(act: SequencerAct) -> Order {
    match act {
        SequencerAct::Halt(reason) => {
            Order::HaltTrading(TradingHalt { reason, actor: label("sequencer") }, Operator::NONE)
        }
        SequencerAct::Clock { from, to } => {
            Order::RecordClockStatus { from, to, skew: units::Amount::ONE }
        }
    }
}

fn rates_of(words: RatesWords) -> AccountRates {
    match words {
        RatesWords::Volume => AccountRates::Volume,
        RatesWords::Own { maker, taker } => AccountRates::Own { maker, taker },
        RatesWords::Waiver { reason, until } => {
            AccountRates::Waiver { reason, ends_at: until.map(at) }
        }
    }
}
