//! `dex run --demo`: a venue to look at, traded by seeded makers and takers through its own door.
//!
//! Everything goes over HTTP with tokens, as any client's would; nothing here knows the shard. A second
//! start finds what the first one made and goes on. Read `venue.rs` for what is set up, `traders.rs` for
//! who trades.

mod rng;
mod session;
mod traders;
mod venue;

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use gateway::TokenSigner;
use tokio::sync::watch;

use session::Session;
use traders::{Pulse, Traders};
use venue::{MARKETS, Venue};

/// What a demonstration is shown with.
pub(crate) struct Demo {
    /// Where the door listens.
    pub(crate) address: SocketAddr,
    /// The key of the tokens.
    pub(crate) tokens: TokenSigner,
    /// For the line that makes another token.
    pub(crate) data_dir: PathBuf,
}

/// Sets up and trades until `stop`. A fault ends the demonstration and not the exchange.
pub(crate) async fn show(demo: Demo, mut stop: watch::Receiver<bool>) {
    let playing = async {
        let mut session = Session::new(demo.address, &demo.tokens);
        let venue = venue::set_up(&mut session).await?;
        introduce(&demo, &venue)?;
        trade(&mut session, &venue).await
    };
    let ended = tokio::select! {
        ended = playing => ended,
        _ = stop.wait_for(|&stop| stop) => Ok(()),
    };
    if let Err(fault) = ended {
        tracing::error!(
            fault = format!("{fault:#}"),
            "the demonstration ended; the exchange goes on"
        );
    }
}

async fn trade(session: &mut Session<'_>, venue: &Venue) -> anyhow::Result<()> {
    let mut traders = Traders::new(SEED, venue);
    let is_terminal = std::io::stdout().is_terminal();
    let report_interval = if is_terminal { SHORT_REPORT } else { LONG_REPORT };
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut reported = Instant::now();
    loop {
        steps.tick().await;
        traders.step(session).await?;
        if reported.elapsed() >= report_interval {
            reported = Instant::now();
            report(&traders.pulse, is_terminal)?;
        }
    }
}

/// Tells what there is and what to try.
fn introduce(demo: &Demo, venue: &Venue) -> anyhow::Result<()> {
    let at = format!("http://{}", demo.address);
    let symbols: Vec<&str> = MARKETS.iter().map(|market| market.symbol).collect();
    let token = crate::token::mint(
        &demo.tokens,
        (venue.visitor, vec![venue.visitor]),
        gateway::Role::Trader,
        gateway::limits::TOKEN_LIFE_MAX_SECONDS,
    )?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "  curl '{at}/v1/market/book?symbol=BTC-USDT&depth=5'")?;
    writeln!(out, "\nDemo: {} traded by seeded makers and takers.", symbols.join(" and "))?;
    writeln!(out, "An account of your own, with a token for 15 minutes:\n")?;
    writeln!(out, "  ACCOUNT={}\n  TOKEN={token}", venue.visitor)?;
    writeln!(out, "  curl -H \"Authorization: Bearer $TOKEN\" {at}/v1/accounts/$ACCOUNT/balances")?;
    let order = r#"{"symbol":"BTC/USDT","side":"BUY","type":"LIMIT","quantity":"0.01","price":"70000","time_in_force":"IOC"}"#;
    writeln!(out, "  curl -H \"Authorization: Bearer $TOKEN\" -d '{order}' {at}/v1/orders")?;
    writeln!(
        out,
        "  TOKEN=$(dex token --data {} --account $ACCOUNT)  # another",
        demo.data_dir.display()
    )?;
    writeln!(out, "\nCtrl-C ends it; the same command goes on where it ended.\n")?;
    Ok(out.flush()?)
}

/// One line of how it goes, over the last one where that can be.
fn report(pulse: &Pulse, is_terminal: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if is_terminal {
        write!(out, "\r\x1b[2K  {pulse}")?;
    } else {
        writeln!(out, "  {pulse}")?;
    }
    Ok(out.flush()?)
}

/// The seed of every decision.
const SEED: u64 = 7;
/// Between two steps of the traders.
const STEP: Duration = Duration::from_millis(100);
/// Between two reports to a person.
const SHORT_REPORT: Duration = Duration::from_secs(1);
/// Between two reports to a file.
const LONG_REPORT: Duration = Duration::from_secs(30);
