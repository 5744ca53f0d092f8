//! A block of requests: who asks what, and what they expect to be told.
//!
//! A request is `WHO METHOD PATH`, then the lines of its JSON body, then `=> STATUS CODE` where it is
//! to be refused; an empty line ends it. `{name}` in path and body stands for the id of the account or
//! order of that name, `{now+3s}` for the time in 3 seconds, `{sequence}` for the last
//! event that was told and `{before}` for the one told before it, `{trade-1}` for the first trade that an
//! operator was told.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use units::Timestamp;

use crate::exchange::Caller;
use crate::page::{Block, Fault};

/// Ids by name.
pub(crate) type Names = BTreeMap<String, String>;

/// A request as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) line: usize,
    who: String,
    pub(crate) method: String,
    path: String,
    /// As written, on one line.
    pub(crate) body: String,
    /// Status and code of the refusal that it is to get.
    pub(crate) refusal: Option<(u16, String)>,
}

impl Request {
    /// The requests of a block.
    pub(crate) fn all(block: &Block) -> Result<Vec<Self>, Fault> {
        let numbered: Vec<(usize, &str)> =
            (block.line + 1..).zip(block.lines.iter().map(String::as_str)).collect();
        let parts = numbered.split(|(_, text)| text.trim().is_empty());
        let requests: Result<Vec<_>, _> =
            parts.filter(|part| !part.is_empty()).map(Self::read).collect();
        match requests? {
            none if none.is_empty() => Err(Fault::new(block.line, "no request in the block")),
            requests => Ok(requests),
        }
    }

    fn read(part: &[(usize, &str)]) -> Result<Self, Fault> {
        let (line, head) = part[0];
        let words: Vec<&str> = head.split_whitespace().collect();
        let [who, method, path] = words[..] else {
            return Err(Fault::new(line, "a request begins with WHO METHOD PATH"));
        };
        let (mut body, mut refusal) = (String::new(), None);
        for &(line, text) in &part[1..] {
            match text.strip_prefix("=> ") {
                _ if refusal.is_some() => return Err(Fault::new(line, "a refusal ends a request")),
                None => body.push_str(text.trim()),
                Some(wanted) => refusal = Some(read_refusal(line, wanted)?),
            }
        }
        let [who, method, path] = [who, method, path].map(str::to_owned);
        Ok(Self { line, who, method, path, body, refusal })
    }

    /// Whether it only asks.
    pub(crate) fn is_query(&self) -> bool {
        self.method == "GET"
    }

    /// Path without what follows a question mark, names left in it.
    pub(crate) fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or(&self.path)
    }

    /// Whether the path has parameters.
    pub(crate) fn has_parameters(&self) -> bool {
        self.path.contains('?')
    }

    /// Who asks: `anyone`, `operator`, or accounts, several of one user joined by `+`.
    pub(crate) fn caller(&self, names: &Names) -> Result<Caller, Fault> {
        match self.who.as_str() {
            "anyone" => Ok(Caller::Anyone),
            "operator" => Ok(Caller::Operator),
            accounts => {
                let id = |name: &str| {
                    let id = names.get(name).cloned();
                    id.ok_or_else(|| Fault::new(self.line, format!("nobody is called {name}")))
                };
                accounts.split('+').map(id).collect::<Result<_, _>>().map(Caller::Trader)
            }
        }
    }

    /// Path and body with ids and times in the place of names.
    pub(crate) fn resolved(&self, names: &Names) -> Result<(String, String), Fault> {
        let resolve = |text: &str| resolve(text, names).map_err(|text| Fault::new(self.line, text));
        Ok((resolve(&self.path)?, resolve(&self.body)?))
    }
}

fn read_refusal(line: usize, wanted: &str) -> Result<(u16, String), Fault> {
    let read = wanted.split_once(' ').and_then(|(status, code)| {
        Some((status.parse().ok().filter(|status| *status >= 400)?, code.to_owned()))
    });
    read.ok_or_else(|| Fault::new(line, "a refusal is => STATUS CODE"))
}

/// A brace that a small letter follows begins a name; braces of JSON are followed by others.
pub(crate) fn resolve(text: &str, names: &Names) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        rest = after;
        if !after.starts_with(|sign: char| sign.is_ascii_lowercase()) {
            out.push('{');
            continue;
        }
        let (name, after) = after.split_once('}').ok_or("a name is never closed")?;
        rest = after;
        match (name.strip_prefix("now+"), names.get(name)) {
            (Some(delay), _) => out.push_str(&time_in(delay)?),
            (None, Some(id)) => out.push_str(id),
            (None, None) => return Err(format!("nothing is called {name}")),
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The time in so many seconds or days, as a request writes it.
fn time_in(delay: &str) -> Result<String, String> {
    let (count, unit) = delay.split_at(delay.len().saturating_sub(1));
    let unit = match unit {
        "s" => 1,
        "d" => 86_400,
        _ => return Err(format!("{delay} is no number of seconds or days")),
    };
    let count: i64 = count.parse().map_err(|_| format!("{count} is no number"))?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|fault| fault.to_string())?;
    let now = i64::try_from(since.as_micros()).map_err(|fault| fault.to_string())?;
    Ok(Timestamp((now + count * unit * 1_000_000) * 1_000).to_string())
}
