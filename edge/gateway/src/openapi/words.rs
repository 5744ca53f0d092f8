//! The scalars of requests as the document shows them: texts with a form, and closed enumerations.
//!
//! A form's fields are texts that its parser checks; these types stand beside such a field and say what
//! the parser takes. The names of an enumeration come from `schema`, so that none is written twice.

use schema::{
    AccountStatus, ApiClass, FeeKind, HaltReason, MarketKind, Matching, OrderTier, OrderType,
    PositionSide, RefundReason, RiskTier, SelfTrade, TimeInForce, TriggerKind, TriggerSource,
    WaiverReason,
};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A type of text with a format and a description.
macro_rules! texts {
    ($($name:ident $format:literal $about:literal;)+) => {$(
        #[doc = $about]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($about));
                text.format(Some(SchemaFormat::Custom($format.to_owned()))).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

/// A type of text that is one of some names.
macro_rules! names {
    ($($name:ident $names:expr, $about:literal;)+) => {$(
        #[doc = $about]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($about));
                text.enum_values(Some($names)).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

texts! {
    Uuid "uuid" "An id: a UUID of 36 characters in lower case.";
    Decimal "decimal" "A decimal number as a text, with at most 18 digits behind the point.";
    Ratio "ratio" "A ratio as a decimal text, with at most 8 digits behind the point.";
    Time "date-time" "A time in ISO 8601, UTC.";
    KeyText "key" "A key of 1 to 64 letters, digits and the signs . _ : + = @ # - /.";
}

names! {
    SideName ["BUY", "SELL"], "Side of an order.";
    OrderTypeName all(OrderType::ALL, OrderType::name), "Type of an order.";
    TimeInForceName all(TimeInForce::ALL, TimeInForce::name), "How long an order lives.";
    SelfTradeName all(SelfTrade::ALL, SelfTrade::name), "What happens at an own order.";
    TriggerKindName all(TriggerKind::ALL, TriggerKind::name), "Kind of a trigger.";
    TriggerSourceName all(TriggerSource::ALL, TriggerSource::name), "Price that is watched.";
    PositionSideName all(PositionSide::ALL, PositionSide::name), "Side of a position.";
    AccountTypeName ["SPOT", "MARGIN", "FUTURES"], "Type of an account.";
    AccountStatusName all(AccountStatus::ALL, AccountStatus::name), "Status of an account.";
    RiskTierName all(RiskTier::ALL, RiskTier::name), "Tier of margin limits.";
    OrderTierName all(OrderTier::ALL, OrderTier::name), "Tier of order limits.";
    ApiClassName all(ApiClass::ALL, ApiClass::name), "Class of request limits.";
    MarketKindName all(MarketKind::ALL, MarketKind::name), "Kind of a market.";
    MatchingName all(Matching::ALL, Matching::name), "Rule inside a price level.";
    FeeKindName all(FeeKind::ALL, FeeKind::name), "Where the rates of an account come from.";
    HaltReasonName all(HaltReason::BY_PEOPLE, HaltReason::name), "Why trading is halted.";
    RefundReasonName all(RefundReason::ALL, RefundReason::name), "Why a fee goes back.";
    WaiverReasonName all(WaiverReason::ALL, WaiverReason::name), "Why there is a waiver.";
}

/// The names of a closed enumeration.
pub(super) fn all<T: Copy>(values: &[T], name: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    values.iter().map(|&value| name(value)).collect()
}
