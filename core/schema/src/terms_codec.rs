//! The stored form of what is configured: genesis, fee tiers, assets, markets, account openings.
//!
//! A command and its event carry the same terms in the same bytes (EVT-87), so both codecs share
//! these functions. Lists keep their bounds in both directions; metadata is sorted by key, each key
//! once, so that equal metadata has equal bytes (DET-30). See `docs/formats/command.md`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::terms::{AssetTerms, FeeTier, MarketTerms, NetworkTerms};
use crate::wire::{
    DecodeError, Reader, write_amount, write_i64, write_id, write_label, write_list, write_option,
    write_time, write_u64,
};
use crate::{
    AccountOpening, AccountType, ApiClass, Genesis, Label, MarketKind, Matching, OrderTier,
    RiskTier, limits,
};

pub(crate) fn write_genesis(out: &mut Vec<u8>, genesis: &Genesis) {
    write_id(out, genesis.venue_id);
    write_u64(out, u64::from(genesis.shard));
    out.extend_from_slice(&genesis.operator_key);
    write_u64(out, genesis.key_count_max);
    write_tiers(out, &genesis.fee_tiers);
}

pub(crate) fn read_genesis(reader: &mut Reader<'_>) -> Result<Genesis, DecodeError> {
    Ok(Genesis {
        venue_id: reader.id()?,
        shard: u16::try_from(reader.u64()?).map_err(|_| DecodeError::BadNumber)?,
        operator_key: reader.array()?,
        key_count_max: reader.u64()?,
        fee_tiers: read_tiers(reader)?,
    })
}

impl Genesis {
    /// The bytes that the configuration hash covers.
    #[must_use]
    pub fn configuration(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_genesis(&mut out, self);
        out
    }

    /// The genesis whose configuration these bytes are.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_configuration(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let genesis = read_genesis(&mut reader)?;
        reader.end()?;
        Ok(genesis)
    }
}

pub(crate) fn write_tiers(out: &mut Vec<u8>, tiers: &[FeeTier]) {
    write_list(out, tiers, limits::FEE_TIER_COUNT_MAX, |out, tier| {
        write_amount(out, tier.above);
        write_i64(out, tier.maker.0);
        write_i64(out, tier.taker.0);
    });
}

pub(crate) fn read_tiers(reader: &mut Reader<'_>) -> Result<Vec<FeeTier>, DecodeError> {
    reader.list(limits::FEE_TIER_COUNT_MAX, |reader| {
        Ok(FeeTier { above: reader.amount()?, maker: reader.rate()?, taker: reader.rate()? })
    })
}

pub(crate) fn write_asset(out: &mut Vec<u8>, terms: &AssetTerms) {
    write_label(out, &terms.symbol);
    write_label(out, &terms.name);
    out.extend_from_slice(&[terms.decimals, u8::from(terms.is_collateral)]);
    write_i64(out, terms.collateral_weight.0);
    write_list(out, &terms.networks, limits::NETWORK_COUNT_MAX, |out, network| {
        write_label(out, &network.network);
        write_amount(out, network.min_withdrawal);
        write_amount(out, network.withdrawal_fee);
        write_u64(out, u64::from(network.confirmations));
        out.extend_from_slice(&[
            u8::from(network.deposits_open),
            u8::from(network.withdrawals_open),
        ]);
    });
}

pub(crate) fn read_asset(reader: &mut Reader<'_>) -> Result<AssetTerms, DecodeError> {
    Ok(AssetTerms {
        symbol: reader.label()?,
        name: reader.label()?,
        decimals: reader.u8()?,
        is_collateral: reader.flag()?,
        collateral_weight: reader.rate()?,
        networks: reader.list(limits::NETWORK_COUNT_MAX, |reader| {
            Ok(NetworkTerms {
                network: reader.label()?,
                min_withdrawal: reader.amount()?,
                withdrawal_fee: reader.amount()?,
                confirmations: reader.u32()?,
                deposits_open: reader.flag()?,
                withdrawals_open: reader.flag()?,
            })
        })?,
    })
}

pub(crate) fn write_market(out: &mut Vec<u8>, terms: &MarketTerms) {
    write_label(out, &terms.symbol);
    out.push(terms.kind.number());
    write_label(out, &terms.base);
    write_label(out, &terms.quote);
    write_amount(out, terms.tick_size);
    write_amount(out, terms.lot_size);
    for bound in [terms.min_price.0, terms.max_price.0, terms.min_quantity.0, terms.max_quantity.0]
    {
        write_u64(out, bound);
    }
    out.push(terms.matching.number());
    write_i64(out, terms.protection_bound.0);
    write_option(out, terms.price_band, |out, band| write_i64(out, band.0));
    write_u64(out, u64::from(terms.open_orders_max));
    write_tiers(out, &terms.fee_tiers);
    write_option(out, terms.post_only_until, write_time);
}

pub(crate) fn read_market(reader: &mut Reader<'_>) -> Result<MarketTerms, DecodeError> {
    Ok(MarketTerms {
        symbol: reader.label()?,
        kind: reader.tag(MarketKind::from_number)?,
        base: reader.label()?,
        quote: reader.label()?,
        tick_size: reader.amount()?,
        lot_size: reader.amount()?,
        min_price: reader.ticks()?,
        max_price: reader.ticks()?,
        min_quantity: reader.lots()?,
        max_quantity: reader.lots()?,
        matching: reader.tag(Matching::from_number)?,
        protection_bound: reader.rate()?,
        price_band: reader.option(Reader::rate)?,
        open_orders_max: reader.u32()?,
        fee_tiers: read_tiers(reader)?,
        post_only_until: reader.option(Reader::time)?,
    })
}

/// What an account was opened with, in bytes.
///
/// # Panics
/// When its metadata is not sorted by key with each key once, which a command's check holds it to.
#[must_use]
pub fn encode_opening(opening: &AccountOpening) -> Box<[u8]> {
    let mut out = Vec::with_capacity(ENCODED_OPENING);
    write_opening(&mut out, opening);
    out.into()
}

/// The opening of [`encode_opening`].
///
/// # Errors
/// Bytes that are none.
pub fn decode_opening(bytes: &[u8]) -> Result<AccountOpening, DecodeError> {
    let mut reader = Reader::new(bytes);
    let opening = read_opening(&mut reader)?;
    reader.end()?;
    Ok(opening)
}

/// What most openings take at most.
const ENCODED_OPENING: usize = 64;

pub(crate) fn write_opening(out: &mut Vec<u8>, opening: &AccountOpening) {
    out.push(opening.account_type.number());
    write_label(out, &opening.external_id);
    write_option(out, opening.owner_id, write_id);
    write_label(out, &opening.jurisdiction);
    out.extend_from_slice(&[
        opening.kyc_tier,
        opening.risk_tier.number(),
        opening.order_tier.number(),
        opening.api_class.number(),
    ]);
    assert!(is_sorted_map(&opening.metadata), "metadata is sorted by key, each key once");
    write_list(out, &opening.metadata, limits::METADATA_COUNT_MAX, |out, (key, value)| {
        write_label(out, key);
        write_label(out, value);
    });
}

pub(crate) fn read_opening(reader: &mut Reader<'_>) -> Result<AccountOpening, DecodeError> {
    Ok(AccountOpening {
        account_type: reader.tag(AccountType::from_number)?,
        external_id: reader.label()?,
        owner_id: reader.option(Reader::id)?,
        jurisdiction: reader.label()?,
        kyc_tier: reader.u8()?,
        risk_tier: reader.tag(RiskTier::from_number)?,
        order_tier: reader.tag(OrderTier::from_number)?,
        api_class: reader.tag(ApiClass::from_number)?,
        metadata: read_metadata(reader)?,
    })
}

fn read_metadata(reader: &mut Reader<'_>) -> Result<Vec<(Label, Label)>, DecodeError> {
    let pairs =
        reader.list(limits::METADATA_COUNT_MAX, |reader| Ok((reader.label()?, reader.label()?)))?;
    if is_sorted_map(&pairs) { Ok(pairs) } else { Err(DecodeError::BadOrder) }
}

fn is_sorted_map(pairs: &[(Label, Label)]) -> bool {
    pairs.windows(2).all(|pair| pair[0].0 < pair[1].0)
}
