//! Administrative requests: listings, markets, fees, accounts, money in and out (D-75).
//!
//! Only operators reach them. All but openings and money in and out carry the operator's signature, which the
//! composition root makes: the door holds no key of the operator. A signed command runs once because of
//! its key, so it always carries one of a client's life, made here if the caller gave none.

mod accounts;
mod audit;
mod entries;
mod listings;
mod markets;
mod rates;
mod refunds;
mod trading;

use axum::http::StatusCode;
use axum::response::Response;
use schema::{Command, Key, Label, Operator as Approval};
use units::Timestamp;

pub(crate) use accounts::{
    AccountForm, ProfileForm, StatusForm, create_account, find_account, set_profile, set_status,
};
pub(crate) use audit::{book, trades};
pub(crate) use entries::{EntryForm, deposit, withdraw};
pub(crate) use listings::{AssetForm, MarketForm, StepSize, list_asset, list_market};
pub(crate) use markets::{ParametersForm, ReasonForm, pause_market, resume_market, set_parameters};
pub(crate) use rates::{RatesForm, ScheduleForm, set_rates, set_schedule};
pub(crate) use refunds::{RefundForm, refund_fee};
pub(crate) use trading::{HaltForm, WordForm, confirm_clock, halt_trading, resume_trading};

use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::{client_key, header_key};
use crate::limits::APPROVAL_LIFE;
use crate::submit::Done;

impl Door {
    /// Key of an operator's command without a signature.
    fn operator_key(&self, text: Option<Label>, command: &Command) -> Key {
        header_key(self.machine(), self.config.venue_id, text, command)
    }

    /// Signs a command and performs it. `make` makes it with an approval.
    async fn perform_signed(
        &self,
        arrival: Arrival,
        text: Option<Label>,
        make: impl FnOnce(Approval) -> Command,
    ) -> Result<Done, ApiError> {
        let valid_until = Timestamp(self.machine().wall_clock().0.saturating_add(APPROVAL_LIFE));
        let mut command = make(Approval { valid_until, signature: [0; 64] });
        let scope = self.config.venue_id;
        let key = match text {
            Some(_) => header_key(self.machine(), scope, text, &command),
            None => client_key(scope, &self.machine().random_id().to_string(), &command),
        };
        let signature = self.signer.sign(&key, valid_until, &command);
        if let Command::HaltTrading(_, approval)
        | Command::ResumeTrading(_, approval)
        | Command::ConfirmClock(_, approval)
        | Command::ListAsset(_, approval)
        | Command::ListMarket(_, approval)
        | Command::SetAccountStatus(_, approval)
        | Command::PauseMarket(_, approval)
        | Command::ResumeMarket(_, approval)
        | Command::SetMarketParameters(_, approval)
        | Command::SetFeeSchedule(_, approval)
        | Command::SetAccountRates(_, approval)
        | Command::RefundFee(_, approval)
        | Command::SetAccountProfile(_, approval) = &mut command
        {
            approval.signature = signature;
        }
        self.perform(arrival, key, command).await
    }
}

fn created(body: Object, done: Done) -> Response {
    json(StatusCode::CREATED, body.count("sequence", done.sequence))
}
