//! The registry of assets: parameters by number and number by symbol.
//!
//! Numbers count from 1 in order of listing and never change.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use schema::{AssetRef, AssetTerms, Label};

/// All assets of a shard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assets {
    terms: Vec<AssetTerms>,
    numbers: BTreeMap<Label, u32>,
}

impl Assets {
    /// Adds an asset and returns its number.
    pub(crate) fn list(&mut self, terms: AssetTerms) -> u32 {
        let number = self.count() + 1;
        let before = self.numbers.insert(terms.symbol, number);
        assert!(before.is_none(), "an asset is listed once");
        self.terms.push(terms);
        number
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.terms.len()).expect("assets are bounded")
    }

    /// Number of the asset with this symbol.
    pub(crate) fn number(&self, symbol: &Label) -> Option<u32> {
        self.numbers.get(symbol).copied()
    }

    /// The asset with this number.
    pub(crate) fn terms(&self, number: u32) -> Option<&AssetTerms> {
        self.terms.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The asset that a command names. A text may have become a symbol since the command was made.
    pub(crate) fn find(&self, asset: &AssetRef) -> Option<(u32, &AssetTerms)> {
        let number = match asset {
            AssetRef::Listed(number) => *number,
            AssetRef::Unknown(text) => self.number(text)?,
        };
        self.terms(number).map(|terms| (number, terms))
    }
}
