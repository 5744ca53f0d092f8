//! The words of one line, read one after the other: amounts, rates, times, names.

use units::{Amount, Rate};

use super::parse::Fault;

/// What is left of a line.
#[derive(Clone, Debug)]
pub(crate) struct Words<'a> {
    line: usize,
    rest: std::collections::VecDeque<&'a str>,
}

impl<'a> Words<'a> {
    /// The words of a text on this line; commas end a word and are left out.
    pub(crate) fn new(line: usize, text: &'a str) -> Self {
        let word = |word: &'a str| word.trim_end_matches(',');
        Self { line, rest: text.split_whitespace().map(word).collect() }
    }

    /// A fault of this line.
    pub(crate) fn fault<T>(&self, text: impl Into<String>) -> Result<T, Fault> {
        Err(Fault { line: self.line, text: text.into() })
    }

    /// The next word, if there is one.
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        self.rest.pop_front()
    }

    /// The next word, left where it is.
    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.rest.front().copied()
    }

    /// The next word, which must be there.
    pub(crate) fn word(&mut self, what: &str) -> Result<&'a str, Fault> {
        match self.next() {
            Some(word) => Ok(word),
            None => self.fault(format!("{what} is missing")),
        }
    }

    /// Takes the next word if it is this one.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        let is_it = self.peek() == Some(word);
        if is_it {
            self.next();
        }
        is_it
    }

    /// The next word must be this one.
    pub(crate) fn expect(&mut self, word: &str) -> Result<(), Fault> {
        match self.next() {
            Some(found) if found == word => Ok(()),
            Some(found) => self.fault(format!("`{word}` is expected, not `{found}`")),
            None => self.fault(format!("`{word}` is missing")),
        }
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Fault> {
        match self.peek() {
            Some(word) => self.fault(format!("unknown word `{word}`")),
            None => Ok(()),
        }
    }

    pub(crate) fn amount(&mut self, what: &str) -> Result<Amount, Fault> {
        let word = self.word(what)?;
        match word.parse() {
            Ok(amount) => Ok(amount),
            Err(_) => self.fault(format!("{what}: `{word}` is no decimal")),
        }
    }

    pub(crate) fn count(&mut self, what: &str) -> Result<u32, Fault> {
        let word = self.word(what)?;
        match word.parse() {
            Ok(count) => Ok(count),
            Err(_) => self.fault(format!("{what}: `{word}` is no number")),
        }
    }

    /// A rate in percent: `0.02%`.
    pub(crate) fn rate(&mut self, what: &str) -> Result<Rate, Fault> {
        let word = self.word(what)?;
        match parse_rate(word) {
            Some(rate) => Ok(rate),
            None => self.fault(format!("{what}: `{word}` is no rate like 0.02%")),
        }
    }

    /// A time of the scene in nanoseconds: `12h`, `1d30s`, `5s+1ns`, `12h-1ns`.
    pub(crate) fn time(&mut self, what: &str) -> Result<i64, Fault> {
        let word = self.word(what)?;
        match parse_time(word) {
            Some(time) => Ok(time),
            None => self.fault(format!("{what}: `{word}` is no time like 1d12h or 5s+1ns")),
        }
    }
}

/// `0.02%` as a rate.
pub(crate) fn parse_rate(word: &str) -> Option<Rate> {
    let percent: Amount = word.strip_suffix('%')?.parse().ok()?;
    // A percent is 10⁻², a rate counts 10⁻⁸, an amount 10⁻¹⁸.
    let unit = 1_000_000_000_000;
    let whole = percent.0 % unit == 0;
    whole.then(|| i64::try_from(percent.0 / unit).ok().map(Rate))?
}

const UNITS: [(&str, i64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

fn parse_time(word: &str) -> Option<i64> {
    let (mut rest, mut sum, mut sign) = (word, 0i64, 1);
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(['+', '-']) {
            sign = if rest.starts_with('-') { -1 } else { 1 };
            rest = behind;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = rest[..digits].parse().ok()?;
        let behind = &rest[digits..];
        let end = behind.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(behind.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &behind[..end])?;
        sum += sign * count.checked_mul(*unit)?;
        rest = &behind[end..];
    }
    (!word.is_empty()).then_some(sum)
}

/// A time of the scene as `parse_time` reads it, units in falling order.
pub(crate) fn show_time(nanos: i64) -> String {
    if nanos < 0 {
        return format!("-{}", show_time(-nanos));
    }
    let (mut rest, mut text) = (nanos, String::new());
    for (name, unit) in UNITS {
        if rest >= unit {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A rate in percent.
pub(crate) fn show_rate(rate: Rate) -> String {
    format!("{}%", Amount(i128::from(rate.0) * 1_000_000_000_000))
}
