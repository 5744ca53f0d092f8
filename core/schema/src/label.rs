//! `Label`: a short text kept in place.
//!
//! Symbols, asset names, client order ids, actors and reasons are at most 64 bytes of UTF-8
//! (LIFE-6). They travel with every command, so they live inside it and cost no allocation.

use core::fmt;

use crate::limits::LABEL_SIZE_MAX;

/// Up to 64 bytes of UTF-8.
#[derive(Clone, Copy)]
pub struct Label {
    size: u8,
    bytes: [u8; LABEL_SIZE_MAX],
}

/// The text has more than 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelTooLong;

impl Label {
    /// A label with the text.
    ///
    /// # Errors
    /// `LabelTooLong` above 64 bytes.
    pub fn new(text: &str) -> Result<Self, LabelTooLong> {
        let mut bytes = [0; LABEL_SIZE_MAX];
        let slot = bytes.get_mut(..text.len()).ok_or(LabelTooLong)?;
        slot.copy_from_slice(text.as_bytes());
        u8::try_from(text.len()).map(|size| Self { size, bytes }).map_err(|_| LabelTooLong)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only `new` fills a label, from a whole `str`.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The text as bytes, without the check that `as_str` makes.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.size)]
    }

    /// Whether there is no text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.size == 0
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Label {}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Label {
    /// By bytes (DET-32).
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    /// Bytes are counted, not characters, and nothing is cut off.
    #[test]
    fn a_label_holds_64_bytes() {
        let full = "x".repeat(LABEL_SIZE_MAX);
        let label = Label::new(&full).expect("64 bytes");
        assert_eq!((label.as_str(), label.as_bytes()), (full.as_str(), full.as_bytes()));
        assert_eq!(Label::new(&(full + "x")), Err(LabelTooLong));
        let wide = "€".repeat(21);
        assert_eq!(Label::new(&wide).map(|label| label.to_string()), Ok(wide.clone()));
        assert_eq!(Label::new(&(wide + "€")), Err(LabelTooLong));
        assert!(Label::new("").is_ok_and(|label| label.is_empty()));
        assert!(!label.is_empty());
    }

    /// Labels sort by bytes: capitals before small letters, both before what has more bytes.
    /// covers: DET-32
    #[test]
    fn labels_sort_by_bytes() {
        let mut labels =
            ["é", "b", "", "a", "ab", "B"].map(|text| Label::new(text).expect("short"));
        labels.sort();
        assert_eq!(labels.map(|label| label.to_string()), ["", "B", "a", "ab", "b", "é"]);
        assert_ne!(Label::new("a"), Label::new("a\0"));
    }
}
