//! Assets and markets by listing number, in memory: every row that is shown needs them.
//!
//! They are made of rows of their own when the archive is opened, and grow with it.

use schema::Label;

use crate::fault::ArchiveFault;
use crate::key;
use crate::row::MarketRow;
use crate::store::View;

/// What was listed, in order of listing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    assets: Vec<Label>,
    markets: Vec<MarketRow>,
}

impl Lists {
    /// Reads them from the store.
    pub(crate) fn read(view: &View) -> Result<Self, ArchiveFault> {
        let mut lists = Self::default();
        while let Some(asset) = view.row(&key::asset(lists.next_asset()), |it| it.label())? {
            lists.assets.push(asset);
        }
        while let Some(market) = view.row(&key::market(lists.next_market()), MarketRow::read)? {
            lists.markets.push(market);
        }
        Ok(lists)
    }

    /// Number of the next asset.
    pub(crate) fn next_asset(&self) -> u32 {
        number_behind(self.assets.len())
    }

    /// Number of the next market.
    pub(crate) fn next_market(&self) -> u32 {
        number_behind(self.markets.len())
    }

    pub(crate) fn add_asset(&mut self, symbol: Label) {
        self.assets.push(symbol);
    }

    pub(crate) fn add_market(&mut self, market: MarketRow) {
        self.markets.push(market);
    }

    /// Symbol of an asset.
    pub(crate) fn asset(&self, number: u32) -> Option<&Label> {
        at(&self.assets, number)
    }

    /// Number of an asset.
    pub(crate) fn asset_number(&self, symbol: &Label) -> Option<u32> {
        let place = self.assets.iter().position(|asset| asset == symbol)?;
        Some(number_behind(place))
    }

    /// A market.
    pub(crate) fn market(&self, number: u32) -> Option<&MarketRow> {
        at(&self.markets, number)
    }
}

/// Numbers count from 1.
fn at<T>(list: &[T], number: u32) -> Option<&T> {
    list.get(usize::try_from(number.checked_sub(1)?).ok()?)
}

fn number_behind(count: usize) -> u32 {
    u32::try_from(count).expect("listings are bounded").saturating_add(1)
}
