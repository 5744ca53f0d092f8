//! One market's resting orders and price-time matching; knows no balance.
