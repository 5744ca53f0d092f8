//! Addresses: networks, whom an address counts as, which are listed, blocked or proxies (section 8).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network: an address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: u128,
    bits: u8,
    is_v6: bool,
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadNetwork;

/// Whom an address counts as: itself, or the /64 of an IPv6 address (RATE-50).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(u128);

/// What the configuration says of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRules {
    /// Ten times the limits (RATE-40).
    pub listed: Vec<Network>,
    /// Blocked regions (RATE-51).
    pub blocked: Vec<Network>,
    /// Whose forwarding headers are believed (RATE-50).
    pub proxies: Vec<Network>,
}

impl AddressRules {
    /// Whether the address is on the list.
    #[must_use]
    pub fn is_listed(&self, address: IpAddr) -> bool {
        self.listed.iter().any(|network| network.holds(address))
    }

    /// Whether the address lies in a blocked region.
    #[must_use]
    pub fn is_blocked(&self, address: IpAddr) -> bool {
        self.blocked.iter().any(|network| network.holds(address))
    }

    /// The address of the client: the peer's own, or, when a configured proxy sent the request, the
    /// last one of `X-Forwarded-For` that is no configured proxy. What cannot be read is not believed,
    /// nor anything before it.
    #[must_use]
    pub fn client(&self, peer: IpAddr, forwarded: Option<&str>) -> IpAddr {
        let is_proxy = |it: IpAddr| self.proxies.iter().any(|network| network.holds(it));
        let mut client = peer.to_canonical();
        for hop in forwarded.unwrap_or_default().rsplit(',') {
            if !is_proxy(client) {
                break;
            }
            let Ok(next) = hop.trim().parse::<IpAddr>() else { break };
            client = next.to_canonical();
        }
        client
    }

    /// Rules of a text: lines of `listed NETWORK`, `blocked NETWORK`, `proxy NETWORK`; `#` begins a
    /// comment.
    ///
    /// # Errors
    /// The number of the first line, from 1, that is none of them.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut rules = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (word, network) = line.split_once(char::is_whitespace).ok_or(index + 1)?;
            let network = network.trim().parse().map_err(|BadNetwork| index + 1)?;
            match word {
                "listed" => rules.listed.push(network),
                "blocked" => rules.blocked.push(network),
                "proxy" => rules.proxies.push(network),
                _ => return Err(index + 1),
            }
        }
        Ok(rules)
    }
}

impl Network {
    /// Whether the address lies in it. An IPv4 address written as IPv6 is an IPv4 address.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let (value, is_v6) = number_of(address.to_canonical());
        is_v6 == self.is_v6 && mask(value, self.bits) == self.base
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    /// `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits behind the prefix must be 0.
    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
        let (base, is_v6) = number_of(address);
        let width: u8 = if is_v6 { 128 } else { 32 };
        let bits = match bits {
            None => width,
            Some(bits) if bits.bytes().all(|it| it.is_ascii_digit()) => {
                bits.parse().ok().filter(|&bits| bits <= width).ok_or(BadNetwork)?
            }
            Some(_) => return Err(BadNetwork),
        };
        // An IPv4 address stands in the upper 32 bits, so that one mask serves both.
        if mask(base, bits) != base {
            return Err(BadNetwork);
        }
        Ok(Self { base, bits, is_v6 })
    }
}

impl fmt::Display for BadNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a network is written as 10.0.0.0/8 or 2001:db8::/32")
    }
}

impl std::error::Error for BadNetwork {}

impl Host {
    /// Whom the address counts as.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            // As the address that IPv6 gives it: no /64 of a real client is the same.
            IpAddr::V4(v4) => Self(u128::from(v4.to_ipv6_mapped())),
            IpAddr::V6(v6) => Self(mask(u128::from(v6), 64)),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from(self.0);
        match address.to_ipv4_mapped() {
            Some(v4) => write!(f, "{v4}"),
            None => write!(f, "{address}/64"),
        }
    }
}

fn number_of(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, false),
        IpAddr::V6(v6) => (u128::from(v6), true),
    }
}

/// The first `bits` of the value; the rest is 0.
fn mask(value: u128, bits: u8) -> u128 {
    let behind = 128 - u32::from(bits.min(128));
    value.checked_shr(behind).and_then(|it| it.checked_shl(behind)).unwrap_or(0)
}
