//! What stands at the start of a scene: assets, markets, fee tiers, accounts.

use schema::{AccountType, FeeTier, MarketTerms, Matching};
use units::{Amount, Lots, Ticks, Timestamp};

use super::parse::Fault;
use super::words::{Words, parse_rate};
use crate::common::{btc_usdt, label};

/// Noon of 5 January 2026 UTC, where every scene begins and from which its times count.
pub(crate) const BEGIN: Timestamp = Timestamp(1_767_614_400_000_000_000);

/// An account to open, with what it has.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) name: String,
    pub(crate) has: Vec<(Amount, String)>,
    pub(crate) account_type: AccountType,
    pub(crate) kyc_tier: u8,
    pub(crate) owner: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct SetUp {
    /// Decimals of assets that have not their usual ones.
    pub(crate) decimals: Vec<(String, u8)>,
    /// None for BTC/USDT alone.
    pub(crate) markets: Vec<MarketTerms>,
    /// None for the tiers of FEE-5.
    pub(crate) tiers: Option<Vec<FeeTier>>,
    pub(crate) key_count_max: Option<u64>,
    pub(crate) accounts: Vec<Opening>,
}

pub(crate) fn is_head(word: Option<&str>) -> bool {
    matches!(word, Some("asset" | "market" | "fees" | "keys" | "accounts"))
}

/// Reads one line of the head; the accounts' own lines follow it.
pub(crate) fn read_head(set_up: &mut SetUp, words: &mut Words) -> Result<(), Fault> {
    match words.word("the head")? {
        "asset" => {
            let symbol = words.word("the asset")?.to_owned();
            words.expect("decimals")?;
            let decimals = u8::try_from(words.count("decimals")?).unwrap_or(u8::MAX);
            set_up.decimals.push((symbol, decimals));
        }
        "market" => {
            let terms = read_market(words)?;
            set_up.markets.push(terms);
        }
        "fees" => set_up.tiers = Some(read_tiers(words)?),
        "keys" => set_up.key_count_max = Some(words.count("keys")?.into()),
        "accounts" => {}
        other => return words.fault(format!("unknown word `{other}`")),
    }
    words.end()
}

/// `fees 0.02% 0.10%`, or rows like `100000:0.01%/0.08%`.
pub(crate) fn read_tiers(words: &mut Words) -> Result<Vec<FeeTier>, Fault> {
    if words.peek().is_some_and(|word| !word.contains(':')) {
        let (maker, taker) = (words.rate("the maker rate")?, words.rate("the taker rate")?);
        return Ok(vec![FeeTier { above: Amount::ZERO, maker, taker }]);
    }
    let mut tiers = Vec::new();
    while let Some(word) = words.peek().filter(|word| word.contains(':')) {
        words.next();
        let row = word.split_once(':').and_then(|(above, rates)| {
            let (maker, taker) = rates.split_once('/')?;
            let above = above.parse().ok()?;
            Some(FeeTier { above, maker: parse_rate(maker)?, taker: parse_rate(taker)? })
        });
        match row {
            Some(row) => tiers.push(row),
            None => return words.fault(format!("`{word}` is no row like 100000:0.01%/0.08%")),
        }
    }
    Ok(tiers)
}

fn read_market(words: &mut Words) -> Result<MarketTerms, Fault> {
    let symbol = words.word("the symbol")?;
    let Some((base, quote)) = symbol.split_once('/') else {
        return words.fault(format!("`{symbol}` is no symbol like BTC/USDT"));
    };
    let mut terms =
        MarketTerms { symbol: label(symbol), base: label(base), quote: label(quote), ..btc_usdt() };
    while let Some(word) = words.next() {
        match word {
            "tick" => terms.tick_size = words.amount("tick")?,
            "lot" => terms.lot_size = words.amount("lot")?,
            "min-price" => terms.min_price = Ticks(words.count(word)?.into()),
            "max-price" => terms.max_price = Ticks(words.count(word)?.into()),
            "min-quantity" => terms.min_quantity = Lots(words.count(word)?.into()),
            "max-quantity" => terms.max_quantity = Lots(words.count(word)?.into()),
            "bound" => terms.protection_bound = words.rate(word)?,
            "band" => terms.price_band = Some(words.rate(word)?),
            "open-orders" => terms.open_orders_max = words.count(word)?,
            "pro-rata" => terms.matching = Matching::ProRata,
            "post-only-until" => {
                terms.post_only_until = Some(Timestamp(BEGIN.0 + words.time(word)?));
            }
            "fees" => terms.fee_tiers = read_tiers(words)?,
            other => return words.fault(format!("unknown word `{other}`")),
        }
    }
    Ok(terms)
}

/// `NAME AMOUNT ASSET, AMOUNT ASSET; type MARGIN; kyc 0; owner ann`, or `repeat 5 s# 2 BTC`.
pub(crate) fn read_account(set_up: &mut SetUp, words: &mut Words, row: &str) -> Result<(), Fault> {
    if !words.take("repeat") {
        return read_one_account(set_up, words, row);
    }
    let count = words.count("how often")?;
    let rest = row.splitn(3, ' ').nth(2).unwrap_or_default();
    (1..=count).try_for_each(|index| {
        read_one_account(set_up, words, &rest.replace('#', &index.to_string()))
    })
}

fn read_one_account(set_up: &mut SetUp, words: &Words, row: &str) -> Result<(), Fault> {
    let mut parts = row.split(';');
    let first = parts.next().unwrap_or_default();
    let (name, has) = first.split_once(char::is_whitespace).unwrap_or((first, ""));
    let mut opening = Opening {
        name: name.to_owned(),
        has: Vec::new(),
        account_type: AccountType::Spot,
        kyc_tier: 2,
        owner: None,
    };
    for part in has.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (amount, asset) = part.split_once(' ').unwrap_or((part, ""));
        match amount.parse() {
            Ok(amount) if !asset.is_empty() => opening.has.push((amount, asset.trim().to_owned())),
            _ => return words.fault(format!("`{part}` is no amount of an asset")),
        }
    }
    for part in parts {
        match part.trim().split_once(' ') {
            Some(("owner", owner)) => opening.owner = Some(owner.to_owned()),
            Some(("kyc", tier)) => opening.kyc_tier = tier.parse().unwrap_or(u8::MAX),
            Some(("type", name)) => match AccountType::from_name(name) {
                Some(account_type) => opening.account_type = account_type,
                None => return words.fault(format!("unknown word `{name}`")),
            },
            _ => return words.fault(format!("unknown word `{}`", part.trim())),
        }
    }
    set_up.accounts.push(opening);
    Ok(())
}

impl SetUp {
    /// Symbols of all assets, in order of listing: bases before quotes, USDT behind BTC.
    pub(crate) fn assets(&self) -> Vec<(String, u8)> {
        let mut all: Vec<String> = Vec::new();
        let named = self.accounts.iter().flat_map(|account| &account.has).map(|(_, name)| name);
        let of_markets = self.markets.iter().flat_map(|terms| [terms.base, terms.quote]);
        let names = ["BTC".to_owned(), "USDT".to_owned()]
            .into_iter()
            .chain(of_markets.map(|symbol| symbol.as_str().to_owned()))
            .chain(named.cloned());
        for name in names {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        let decimals = |name: &str| {
            let own = self.decimals.iter().find(|(other, _)| other == name);
            own.map_or(if name == "USDT" { 6 } else { 8 }, |(_, decimals)| *decimals)
        };
        all.into_iter().map(|name| (name.clone(), decimals(&name))).collect()
    }

    pub(crate) fn fee_tiers(&self) -> Vec<FeeTier> {
        self.tiers.clone().unwrap_or_else(fees::default_tiers)
    }
}
