//! The rows of the catalogue: every event of a shard's log, in the order of docs/spec/08-events.md.
//!
//! Types are written as there: base type or values, `?` for optional, unit in brackets. Two places
//! have no type there and none here. A test reads those tables and compares (EVT-70), so a row is
//! changed here and there together. It deliberately says nothing of stored numbers: they follow from
//! the names of `EventKind`.

use super::{EventRow, Field, Source, kind_of};

/// Writes rows in the shape of the specification: event, who emits it, what it carries.
macro_rules! rows {
    ($($event:ident by [$($source:ident),+] { $($field:tt: $form:expr),* $(,)? })+) => {
        &[$(EventRow {
            name: stringify!($event),
            kind: kind_of(stringify!($event)),
            emitters: &[$(Source::$source),+],
            fields: &[$(Field { name: stringify!($field), form: $form }),*],
        }),+]
    };
}

const NETWORKS: &str = "list of {network str; min_withdrawal, withdrawal_fee dec [asset]; \
    confirmations u32; deposits_open, withdrawals_open bool}";

/// Every event of a shard's log (08, sections 3 to 9).
pub const EVENTS: &[EventRow] = rows! {
    // Order events (section 3).
    OrderSubmitted by [Order] {
        order_id: "uuid", account_id: "uuid", symbol: "str", side: "BUY|SELL", type: "LIMIT|MARKET",
        price: "dec? [price]", quantity: "dec? [base]", time_in_force: "GTC|IOC|FOK|GTD",
        client_order_id: "str?", expire_at: "ns?", post_only: "bool", reduce_only: "bool",
        self_trade: "enum",
        trigger: "{kind STOP|TAKE_PROFIT, price dec [price], source LAST|MARK}?", oco_with: "uuid?",
        position_side: "enum?", replaces_order_id: "uuid?", protection_price: "dec? [price]",
        quote_quantity: "dec? [quote]",
    }
    OrderAccepted by [Order] {
        order_id: "uuid", state: "PENDING", margin_reserved: "dec [asset]", margin_asset: "str",
    }
    OrderRejected by [Order] { order_id: "uuid", reason: "enum", message: "str" }
    OrderPartiallyFilled by [MatchingEngine] {
        order_id: "uuid", filled_quantity: "dec [base]", remaining_quantity: "dec [base]",
        average_price: "dec [price]", trade_id: "uuid", margin_remaining: "dec [asset]",
    }
    OrderFilled by [MatchingEngine] {
        order_id: "uuid", filled_quantity: "dec [base]", average_price: "dec [price]",
        total_value: "dec [quote]", total_fee: "dec [quote]", trade_id: "uuid",
    }
    OrderCanceled by [Order, MatchingEngine, Liquidation] {
        order_id: "uuid", canceled_by: "USER|SYSTEM", reason: "enum", filled_quantity: "dec [base]",
        unfilled_quantity: "dec [base]",
    }
    OrderExpired by [Order, MatchingEngine] {
        order_id: "uuid", expiry_time: "ns", filled_quantity: "dec [base]", reason: "GTD|IOC",
        unfilled_quantity: "dec [base]",
    }
    OrderReduced by [Order, MatchingEngine] {
        order_id: "uuid", old_quantity: "dec [base]", new_quantity: "dec [base]",
        remaining_quantity: "dec [base]", reason: "USER_REQUESTED|SELF_TRADE",
    }
    OrderTriggered by [Order] {
        order_id: "uuid", trigger_source: "LAST|MARK", trigger_price: "dec [price]",
        observed_price: "dec [price]",
    }
    CommandRejected by [Order, Account, Risk, Liquidation, Wallet, Governance] {
        command_type: "str", account_id: "uuid?", target_id: "uuid?", code: "enum", message: "str",
        idempotency_key: "str?",
    }
    CommandCompleted by [Order, Account, Risk, Liquidation, Wallet, Governance] {
        command_type: "str", account_id: "uuid?", target_id: "uuid?", idempotency_key: "str?",
    }

    // Trade events (section 4).
    TradeExecuted by [MatchingEngine] {
        trade_id: "uuid", symbol: "str", maker_order_id: "uuid", taker_order_id: "uuid",
        maker_account_id: "uuid", taker_account_id: "uuid", price: "dec [price]",
        quantity: "dec [base]", side: "BUY|SELL", executed_at: "ns",
    }
    TradeSettled by [Settlement] {
        trade_id: "uuid", maker_fee: "dec [quote]", taker_fee: "dec [quote]", settled_at: "ns",
        maker_fee_asset: "str", taker_fee_asset: "str",
    }

    // Account and balance events (section 5).
    AccountCreated by [Account] {
        account_id: "uuid", account_type: "SPOT|MARGIN|FUTURES|SYSTEM", external_id: "str",
        owner_id: "uuid?", jurisdiction: "str", kyc_tier: "u8", risk_tier: "enum",
        order_tier: "enum", api_class: "enum", metadata: "map of str to str",
    }
    BalanceUpdated by [Settlement, Account, Liquidation, Wallet, Risk] {
        update_reason: "enum", reference_id: "uuid",
        postings: "list of {account_id uuid; asset str; delta dec [asset]; balance_after dec \
            [asset]; bucket AVAILABLE|LOCKED}",
    }
    MarginReserved by [Account] {
        account_id: "uuid", amount: "dec [asset]", reason: "enum", order_id: "uuid?", asset: "str",
        position_id: "uuid?",
    }
    MarginReleased by [Account] {
        account_id: "uuid", amount: "dec [asset]", reason: "enum", order_id: "uuid?", asset: "str",
        position_id: "uuid?",
    }
    AccountStatusChanged by [Account] {
        account_id: "uuid", from: "ACTIVE|SUSPENDED|CLOSED", to: "ACTIVE|SUSPENDED|CLOSED",
        reason: "str", actor: "str",
    }
    AccountProfileChanged by [Account] {
        account_id: "uuid", kyc_tier: "u8", jurisdiction: "str", risk_tier: "enum",
        order_tier: "enum", api_class: "enum", fee_in_token: "bool",
    }
    LeverageChanged by [Risk] {
        account_id: "uuid", symbol: "str", old_leverage: "u8", new_leverage: "u8",
        reason: "USER|TIER|GOVERNANCE",
    }
    MarginModeChanged by [Risk] {
        account_id: "uuid", symbol: "str?", from: "CROSS|ISOLATED|PORTFOLIO",
        to: "CROSS|ISOLATED|PORTFOLIO",
    }
    FeeTierChanged by [Account] {
        account_id: "uuid", volume_30d: "dec [USDT]", old_tier: "u8", new_tier: "u8",
        maker_rate: "dec [ratio]", taker_rate: "dec [ratio]", kind: "VOLUME|VIP|WAIVER",
        effective_at: "ns", ends_at: "ns?",
        waiver_reason: "VIP_LEVEL|MARKET_MAKER|PROMOTION|BUG_BOUNTY?",
    }
    FeeRefunded by [Account] {
        trade_id: "uuid", account_id: "uuid", asset: "str", fee: "dec [asset]",
        amount: "dec [asset]", reason: "EXCHANGE_ERROR|MALFUNCTION|COMPENSATION", actor: "str",
    }
    LoanUpdated by [Account] {
        account_id: "uuid", asset: "str", delta: "dec [asset]", outstanding_after: "dec [asset]",
        reason: "BORROW|REPAY|LIQUIDATION",
    }
    InterestAccrued by [Account] {
        account_id: "uuid", asset: "str", principal: "dec [asset]", rate: "dec [ratio]",
        amount: "dec [asset]", period_start: "ns", period_end: "ns",
    }
    AccountTransferred by [Account] {
        transfer_id: "uuid", from_account_id: "uuid", to_account_id: "uuid", asset: "str",
        amount: "dec [asset]",
    }
    CountdownCancelChanged by [Order] { account_id: "uuid", deadline: "ns?" }
    ShardTransferOut by [Account] {
        transfer_id: "uuid", account_id: "uuid", asset: "str", amount: "dec [asset]",
        to_shard: "u16",
    }
    ShardTransferIn by [Account] {
        transfer_id: "uuid", account_id: "uuid", asset: "str", amount: "dec [asset]",
        from_shard: "u16",
    }
    ShardTransferConfirmed by [Account] { transfer_id: "uuid", to_shard: "u16" }
    ShardTransferReturned by [Account] { transfer_id: "uuid", account_id: "uuid", reason: "str" }

    // Position, funding and contract events (section 6).
    PositionOpened by [Settlement] {
        position_id: "uuid", account_id: "uuid", symbol: "str", side: "LONG|SHORT",
        size: "dec [base]", entry_price: "dec [price]", leverage: "u8", margin_mode: "enum",
        initial_margin: "dec [asset]", entry_value: "dec [quote]",
    }
    PositionUpdated by [Settlement, Liquidation] {
        position_id: "uuid", size_delta: "dec [base]", new_size: "dec [base]",
        new_avg_price: "dec [price]", unrealized_pnl: "dec [quote]",
        realized_pnl_delta: "dec [quote]", initial_margin: "dec [asset]",
        entry_value: "dec [quote]",
    }
    PositionClosed by [Settlement, Liquidation] {
        position_id: "uuid", close_price: "dec [price]", realized_pnl: "dec [quote]",
        total_fees: "dec [quote]",
    }
    PositionMarginChanged by [Risk] {
        position_id: "uuid", delta: "dec [asset]", margin_after: "dec [asset]",
        reason: "USER|TOP_UP|RATE_CHANGE",
    }
    FundingSampled by [Risk] { symbol: "str", premium: "dec [ratio]", sample_time: "ns" }
    FundingPaid by [Risk] {
        symbol: "str", position_id: "uuid", account_id: "uuid", amount: "dec [quote]",
        funding_rate: "dec [ratio]", mark_price: "dec [price]", period_end: "ns",
    }
    FundingSettled by [Risk] {
        symbol: "str", funding_rate: "dec [ratio]", premium_average: "dec [ratio]",
        period_start: "ns", period_end: "ns", positions: "u32", rounding_remainder: "dec [quote]",
    }
    ContractSettled by [Settlement] {
        symbol: "str", settlement_price: "dec [price]", settled_at: "ns",
    }

    // Liquidation events (section 7).
    MarginStateChanged by [Risk] {
        account_id: "uuid", from: "NORMAL|LIQUIDATION_WARNING|MARGIN_CALL|IN_LIQUIDATION",
        to: "NORMAL|LIQUIDATION_WARNING|MARGIN_CALL|IN_LIQUIDATION", margin_ratio: "dec [ratio]",
        grace_deadline: "ns?",
    }
    MarginLevelCrossed by [Risk] {
        account_id: "uuid", level: "enum", below: "bool", margin_ratio: "dec [ratio]",
        channels: "list of str", priority: "enum",
    }
    AlertRaised by [Risk, Liquidation] {
        kind: "INSURANCE_FUND_LOW|LIQUIDATION_CASCADE|NEGATIVE_ACCOUNT|WASH_TRADING", on: "bool",
        symbol: "str?", account_id: "uuid?", value: "dec",
    }
    LiquidationTriggered by [Risk] {
        account_id: "uuid", margin_ratio: "dec [ratio]", equity: "dec [quote]",
        maintenance_margin: "dec [quote]", liquidation_id: "uuid", scope: "PARTIAL|FULL",
    }
    PositionTakenOver by [Liquidation] {
        liquidation_id: "uuid", position_id: "uuid", account_id: "uuid",
        bankruptcy_price: "dec [price]", started_at: "ns",
    }
    PositionLiquidated by [Liquidation] {
        position_id: "uuid", liquidation_price: "dec [price]", bankruptcy_price: "dec [price]",
        loss: "dec [quote]", liquidation_fee: "dec [quote]",
        insurance_fund_contribution: "dec [quote]", liquidation_id: "uuid", account_id: "uuid",
        method: "MARKET|ADL|MIXED",
    }
    ADLExecuted by [Liquidation] {
        position_id: "uuid", account_id: "uuid", counterparty_account_id: "uuid",
        close_price: "dec [price]", quantity: "dec [base]", counterparty_position_id: "uuid",
        adl_score: "dec [ratio]",
    }
    LiquidationCompleted by [Liquidation] {
        liquidation_id: "uuid", account_id: "uuid", margin_ratio_after: "dec? [ratio]",
        positions_closed: "u32", outcome: "RESTORED|LIQUIDATED|ADL_DELEVERAGED",
    }
    InsuranceFundChanged by [Liquidation] {
        asset: "str", delta: "dec [asset]", balance_after: "dec [asset]",
        reason: "LIQUIDATION_FEE|DEFICIT|FEE_SHARE|FUNDING_REMAINDER|CAPITALIZATION|CONVERSION|\
            CLAWBACK|GOVERNANCE",
        reference_id: "uuid?",
    }

    // Market and system events (section 8).
    MarkPriceUpdated by [Risk] {
        symbol: "str", mark_price: "dec [price]", index_price: "dec [price]",
        funding_rate: "dec [ratio]", sources: "list of {name str, price dec, age ns}",
    }
    CircuitBreakerTriggered by [Risk] {
        symbol: "str?", reason: "enum", price_change: "dec [%]", duration: "u32 [s]",
    }
    CircuitBreakerReset by [Risk] { symbol: "str?", reason: "ELAPSED|RECOVERED|GOVERNANCE" }
    MarketListed by [Governance] {
        symbol: "str", listing_number: "u32", kind: "SPOT|PERPETUAL|FUTURE", base: "str",
        quote: "str", settlement_asset: "str", tick_size: "dec", lot_size: "dec",
        min_price: "dec [price]", max_price: "dec [price]", min_quantity: "dec [base]",
        max_quantity: "dec [base]", matching: "PRICE_TIME|PRO_RATA",
        protection_bound: "dec [ratio]", price_band: "dec? [ratio]", open_orders_max: "u32",
        expiry: "ns?",
        fee_tiers: "list of {volume, maker, taker}?", max_leverage: "u8",
        leverage_class: "HIGH|MEDIUM|LOW",
        margin_tiers: "list of {value_to, max_leverage, initial_rate, maintenance_rate}",
        daily_volume_floor: "dec? [base]", position_limit: "dec? [quote]",
        liquidation_delay: "u32 [s]", grace_volatility: "dec? [ratio]",
        funding_interval: "u32? [s]", funding_cap: "dec? [ratio]", mark_band: "dec? [ratio]",
        index_sources: "list of str", post_only_until: "ns?",
    }
    MarketParametersChanged by [Governance] {
        symbol: "str", changed: "fields with old and new value", effective_at: "ns",
    }
    MarketPaused by [Governance, Risk] { symbol: "str", reason: "str", actor: "str" }
    MarketResumed by [Governance, Risk] { symbol: "str", reason: "str", actor: "str" }
    MarketDelisted by [Governance] { symbol: "str", effective_at: "ns" }
    AssetListed by [Governance] {
        asset: "str", name: "str", decimals: "u8", is_collateral: "bool",
        collateral_weight: "dec [ratio]", networks: NETWORKS, effective_at: "ns",
    }
    AssetParametersChanged by [Governance] {
        asset: "str", name: "str", decimals: "u8", is_collateral: "bool",
        collateral_weight: "dec [ratio]", networks: NETWORKS, effective_at: "ns",
    }
    AssetDelisted by [Governance] {
        asset: "str", name: "str", decimals: "u8", is_collateral: "bool",
        collateral_weight: "dec [ratio]", networks: NETWORKS, effective_at: "ns",
    }
    TradingHalted by [Governance, Risk, Core] {
        scope: "SHARD|VENUE",
        reason: "MANIPULATION|TECHNICAL|REGULATORY|LIQUIDATIONS|CLOCK|INVARIANT|STATE_HASH|\
            SHORTFALL",
        actor: "str", expires_at: "ns?",
    }
    InvariantViolated by [Core] {
        invariant: "str", violating_command: "u64", left: "str", right: "str", state_hash: "str",
        quarantined_by: "str",
    }
    TradingResumed by [Governance] { scope: "", actor: "str" }
    EmergencyStopActivated by [Governance] { approvals: "list" }
    EmergencyStopLifted by [Governance] { approvals: "list" }
    WithdrawalsStopped by [Governance] { approvals: "list", reason: "str", expires_at: "ns?" }
    WithdrawalsResumed by [Governance] { approvals: "list", reason: "str", expires_at: "ns?" }
    FeeScheduleChanged by [Governance] {
        tiers: "list of {volume, maker, taker}",
        withdrawal_fees: "list of {asset, network, fee, floor, ceiling}?", effective_at: "ns",
    }
    RiskParametersChanged by [Governance] {
        parameter: "str", symbol: "str?", old: "", new: "", effective_at: "ns",
    }
    OracleSourcesChanged by [Governance] {
        symbol: "str?", old: "list of str", new: "list of str", shadow_until: "ns?",
    }
    ClockStatusChanged by [Sequencer] {
        from: "PRIMARY|BACKUP|FALLBACK", to: "PRIMARY|BACKUP|FALLBACK", skew: "dec [s]",
    }
    LeaderChanged by [Sequencer] { term: "u64", leader_id: "str" }
    CoreVersionActivated by [Governance] { version: "str", features: "list of str" }
    StateHashRecorded by [Sequencer] { at_sequence: "u64", state_hash: "str" }
    SnapshotTaken by [Sequencer] {
        snapshot_sequence: "u64", snapshot_timestamp: "ns", checksum: "str",
    }
    GenesisRecorded by [Core] {
        configuration_hash: "str", configuration: "object", venue_id: "uuid", operator_key: "str",
    }
    GovernanceActivated by [Governance] { signature: "str" }

    // Deposit, withdrawal and governance events (section 9).
    DepositDetected by [Wallet] {
        account_id: "uuid", asset: "str", amount: "dec [asset]", tx_id: "str", confirmations: "u32",
        deposit_id: "uuid", network: "str", output_index: "u32",
    }
    DepositConfirmed by [Wallet] {
        account_id: "uuid", asset: "str", amount: "dec [asset]", tx_id: "str", confirmations: "u32",
        deposit_id: "uuid", network: "str",
    }
    DepositHeld by [Wallet] { deposit_id: "uuid", reason: "LIMIT|REVIEW|STOP" }
    DepositQuarantined by [Wallet] {
        deposit_id: "uuid", reason: "ACCOUNT_CLOSED|ASSET_DELISTED|ASSET_NOT_ACCEPTED",
    }
    DepositReverted by [Wallet] { deposit_id: "uuid", tx_id: "str", reason: "REORG|DROPPED" }
    DepositClawedBack by [Wallet] {
        deposit_id: "uuid", account_id: "uuid", asset: "str", amount: "dec [asset]", tx_id: "str",
        shortfall: "dec [asset]",
    }
    WithdrawalAddressAdded by [Wallet] {
        account_id: "uuid", asset: "str", network: "str", destination: "str", usable_at: "ns",
    }
    WithdrawalAddressRemoved by [Wallet] {
        account_id: "uuid", asset: "str?", network: "str?", destination: "str?",
        address_list: "bool", delay: "bool", effective_at: "ns",
    }
    WithdrawalSettingsChanged by [Wallet] {
        account_id: "uuid", asset: "str?", network: "str?", destination: "str?",
        address_list: "bool", delay: "bool", effective_at: "ns",
    }
    WithdrawalFeeChanged by [Wallet] {
        asset: "str", network: "str", fee: "dec [asset]", minimum: "dec [asset]",
    }
    WithdrawalRequested by [Wallet] {
        withdrawal_id: "uuid", account_id: "uuid", asset: "str", amount: "dec [asset]",
        destination: "str", network: "str", nonce: "u64", fee: "dec [asset]", release_at: "ns",
        band: "AUTOMATED|MANUAL|MULTI_PARTY",
    }
    WithdrawalReviewStarted by [Wallet] { withdrawal_id: "uuid", band: "MANUAL|MULTI_PARTY" }
    WithdrawalApprovalRecorded by [Wallet] {
        withdrawal_id: "uuid", actor: "str", verb: "APPROVE|REJECT", at: "ns", signature: "str",
    }
    WithdrawalApproved by [Wallet, Governance] {
        withdrawal_id: "uuid", approvals: "list of {actor str, at ns}",
    }
    WithdrawalRejected by [Wallet, Governance] {
        withdrawal_id: "uuid", reason: "str", actor: "str",
    }
    WithdrawalCanceled by [Wallet, Governance] {
        withdrawal_id: "uuid", reason: "str", actor: "str",
    }
    WithdrawalBroadcast by [Wallet] { withdrawal_id: "uuid", tx_id: "str" }
    WithdrawalCompleted by [Wallet] { withdrawal_id: "uuid", tx_id: "str", fee: "dec [asset]" }
    WithdrawalFailed by [Wallet] { withdrawal_id: "uuid", tx_id: "str?", reason: "str" }
    ProposalCreated by [Governance] {
        proposal_id: "uuid", type: "enum", proposed_by: "str", proposed_at: "ns",
        description: "str", changes: "object", required_approvals: "str",
        scheduled_execution: "ns?",
    }
    ProposalReviewStarted by [Governance] { proposal_id: "uuid", approvers: "list of str" }
    ProposalApprovalRecorded by [Governance] {
        proposal_id: "uuid", approver: "str", vote: "APPROVE|REJECT", approved_at: "ns",
        signature: "str",
    }
    ProposalApproved by [Governance] { proposal_id: "uuid", approvals: "list" }
    ProposalRejected by [Governance] { proposal_id: "uuid", approvals: "list" }
    ProposalScheduled by [Governance] { proposal_id: "uuid", scheduled_execution: "ns" }
    ProposalExecuted by [Governance] { proposal_id: "uuid", execution_result: "str" }
    ProposalCanceled by [Governance] { proposal_id: "uuid", actor: "str", reason: "str" }
    GovernanceAction by [Governance] {
        action: "str", actor: "str", parameters: "object", approvals: "list",
        execution_result: "str", affected_users: "u64", public: "bool",
    }
    AdminRoleChanged by [Governance] {
        admin_id: "str", role: "enum", granted: "bool", approvals: "list",
    }
};
