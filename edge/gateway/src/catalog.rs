//! Names of markets and assets and their listing numbers, as last seen.
//!
//! A listing never goes away and a number never changes, so what is known stays true and only a miss
//! asks the shard again, at most ten times a second. A name that nobody knows goes into a command as
//! text (EVT-83) and the core refuses it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use port::{Query, View};
use schema::{AssetRef, Label, SymbolRef};
use tokio::time::Instant;

use crate::door::Door;
use crate::error::ApiError;
use crate::limits::CATALOG_AGE;

/// A market as the door names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Listing number.
    pub(crate) number: u32,
    /// Symbol of D-18.
    pub(crate) symbol: Label,
}

/// What is listed.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    markets: RwLock<Names>,
    assets: RwLock<Names>,
}

#[derive(Debug, Default)]
struct Names {
    numbers: Arc<HashMap<String, u32>>,
    /// When, and which event of this door's telling, they reflect.
    seen: Option<(Instant, u64)>,
}

impl Names {
    fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    fn is_fresh(&self, told: u64) -> bool {
        self.seen.is_some_and(|(at, sequence)| sequence >= told && at.elapsed() < CATALOG_AGE)
    }
}

impl Door {
    /// The market of a symbol in a body.
    pub(crate) async fn symbol_ref(&self, symbol: Label) -> Result<SymbolRef, ApiError> {
        let number = self.market_number(symbol.as_str()).await?;
        Ok(number.map_or(SymbolRef::Unknown(symbol), SymbolRef::Listed))
    }

    /// The market of a symbol in a path, a query or a channel, where `-` may stand for `/` (SVC-59).
    pub(crate) async fn listing(&self, symbol: Label) -> Result<Option<Listing>, ApiError> {
        if let Some(number) = self.market_number(symbol.as_str()).await? {
            return Ok(Some(Listing { number, symbol }));
        }
        let slashed = symbol.as_str().replacen('-', "/", 1);
        let Ok(symbol) = Label::new(&slashed) else { return Ok(None) };
        let number = self.market_number(&slashed).await?;
        Ok(number.map(|number| Listing { number, symbol }))
    }

    /// The asset of a name in a body.
    pub(crate) async fn asset_ref(&self, asset: Label) -> Result<AssetRef, ApiError> {
        let number = self.number(&self.catalog.assets, asset.as_str(), Query::Assets).await?;
        Ok(number.map_or(AssetRef::Unknown(asset), AssetRef::Listed))
    }

    async fn market_number(&self, symbol: &str) -> Result<Option<u32>, ApiError> {
        self.number(&self.catalog.markets, symbol, Query::Markets).await
    }

    async fn number(
        &self,
        names: &RwLock<Names>,
        text: &str,
        query: Query,
    ) -> Result<Option<u32>, ApiError> {
        let told = self.told_listing();
        {
            let names = names.read().unwrap_or_else(PoisonError::into_inner);
            let known = names.find(text);
            if known.is_some() || names.is_fresh(told) {
                return Ok(known);
            }
        }
        let seen = self.query_at(query, told).await?;
        let numbers: HashMap<String, u32> = match seen.view {
            View::Markets(markets) => {
                markets.iter().map(|it| (it.terms.symbol.to_string(), it.number)).collect()
            }
            View::Assets(assets) => {
                assets.iter().map(|it| (it.terms.symbol.to_string(), it.number)).collect()
            }
            _ => HashMap::new(),
        };
        let found = numbers.get(text).copied();
        let mut names = names.write().unwrap_or_else(PoisonError::into_inner);
        names.numbers = Arc::new(numbers);
        names.seen = Some((Instant::now(), seen.sequence.max(told)));
        Ok(found)
    }

    /// The event up to which this door has told of listings.
    fn told_listing(&self) -> u64 {
        self.listed.load(Ordering::Acquire)
    }
}
