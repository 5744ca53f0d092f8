//! `dex run`: puts the exchange together, runs it, and ends it.
//!
//! Order of a start: settings, log, address, data folder with recovery, door. Order of an end: no new
//! connections, requests in flight answered, the shard's queue worked off and synced, exit with 0. Only
//! here do node and door meet.

use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use engine::{Engine, StopReason};
use gateway::{Config, Door};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::data::{self, Opened};
use crate::settings::{Flags, LogForm, LogLevel, Settings, Source};
use crate::{demo, figures, logging};

/// Run the exchange: recover its data folder, then answer over HTTP and WebSocket.
///
/// Everything lies in one data folder: the logs, and keys that are made on first start. Settings come
/// from a file, the environment and flags, the later over the earlier. SIGINT or SIGTERM ends it: what
/// was taken is answered and synced.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex run                                 an empty exchange on http://127.0.0.1:8080
  dex run --demo                          the same with markets and traders
  dex run --data /srv/dex --log json      as a service
  DEX_LISTEN=0.0.0.0:80 dex run           settings from the environment

Settings in dex.toml, or as DEX_NAME in the environment:
  data_dir = \"./dex-data\"        the data folder (--data)
  listen = \"127.0.0.1:8080\"      address of the door (--listen)
  log = \"text\"                   text or json (--log)
  log_level = \"info\"             error, warn, info or debug (--log-level)
  workers = 2                    threads of the door
  queue_count_max = 65536        commands that may wait; beyond it requests get 503
  orders_in_flight_max = 512     orders that may wait for their result; beyond it they get 503
  order_wait_ms = 2              wait among orders beyond which fewer are let in
  feed_batch_count = 4096        batches kept for readers of books and trades
  ended_order_count = 65536      ended orders that can still be asked for
  snapshot_events = 1000000      events between two snapshots
  snapshot_seconds = 3600        seconds between two snapshots
  snapshot_count = 4             snapshots that are kept
  checkpoint_seconds = 60        seconds between two checkpoints")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Form of log lines, on standard error [default: text]
    #[arg(long, value_enum, value_name = "FORM")]
    log: Option<LogForm>,
    /// Least level of log lines [default: info; warn with --demo]
    #[arg(long, value_enum, value_name = "LEVEL")]
    log_level: Option<LogLevel>,
    /// List markets, fund accounts, and let seeded makers and takers trade through the door.
    #[arg(long)]
    demo: bool,
}

/// Threads of the door at the most.
const WORKER_COUNT_MAX: usize = 256;

/// Runs the exchange until it is asked to end.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let level = args.log_level.or(args.demo.then_some(LogLevel::Warn));
    let flags = Flags { listen: args.listen, log: args.log, log_level: level, data_dir: None };
    let settings = Settings::load(&args.source, &flags)?;
    if !(1..=WORKER_COUNT_MAX).contains(&settings.workers) {
        bail!("workers is {}: the door takes 1 to {WORKER_COUNT_MAX} threads", settings.workers);
    }
    if settings.queue_count_max == 0 {
        bail!("queue_count_max is 0: every command would be refused");
    }
    if settings.orders_in_flight_max == 0 {
        bail!("orders_in_flight_max is 0: every order would be refused");
    }
    logging::start(settings.log, settings.log_level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.workers)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(bind(settings.listen))?;
    let opened = data::open(&settings)?;
    let (engine, served) = runtime.block_on(serve(&settings, listener, opened, args.demo));
    // No request is left that could submit: the door and its port are gone.
    runtime.shutdown_timeout(Duration::from_secs(1));
    let stopped = engine.stop();
    tracing::info!(
        command_sequence = stopped.command_sequence,
        event_sequence = stopped.event_sequence,
        "stopped"
    );
    served?;
    match stopped.reason {
        StopReason::Asked => Ok(()),
        reason => bail!("the shard had stopped before: {reason}"),
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|fault| match fault.kind() {
        ErrorKind::AddrInUse => anyhow::anyhow!(
            "{address} is in use: end the other program, or choose another address with --listen"
        ),
        ErrorKind::PermissionDenied => anyhow::anyhow!(
            "{address} is not allowed to this user: choose a port above 1023 with --listen"
        ),
        _ => anyhow::anyhow!("cannot listen on {address}: {fault}"),
    })
}

/// Serves until a signal comes. The engine comes back to be stopped outside the runtime.
async fn serve(
    settings: &Settings,
    listener: TcpListener,
    opened: Opened,
    with_demo: bool,
) -> (Engine, anyhow::Result<()>) {
    let Opened { engine, operator, tokens } = opened;
    let (asked, asked_to_stop) = watch::channel(false);
    let serving = async {
        // Before anybody is told that there is something to end.
        tokio::spawn(wait_for_signals(Signals::new()?, asked));
        let address = listener.local_addr()?;
        let figures_of = engine.metrics();
        let config = Config {
            orders_in_flight_max: settings.orders_in_flight_max,
            order_wait_target: Duration::from_millis(settings.order_wait_ms),
            more_metrics: Some(Box::new(move |out| figures::write(out, &figures_of))),
            ..Config::new(tokens.public_key(), operator.venue_id())
        };
        let door = Door::new(Arc::new(engine.port()), Arc::new(operator), config);
        let door = door.context("the token key is no Ed25519 key")?;
        if let Err(fault) = announce(settings, address, &engine) {
            tracing::warn!(%fault, "cannot write to standard output");
        }
        let data_dir = settings.data_dir.clone();
        let demo = demo::Demo { address, tokens, data_dir };
        let show = with_demo.then(|| tokio::spawn(demo::show(demo, asked_to_stop.clone())));
        let mut stopped = asked_to_stop.clone();
        let stop = async move {
            let _ = stopped.wait_for(|&stopped| stopped).await;
        };
        tokio::select! {
            served = gateway::serve(door, listener, stop) => served?,
            () = watch_shard(&engine) => {}
        }
        if let Some(show) = show {
            show.abort();
        }
        anyhow::Ok(())
    };
    let served = serving.await;
    (engine, served)
}

/// Logs the end of a shard that was not asked to stop. Reads go on, so the process does (D-49).
async fn watch_shard(engine: &Engine) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Some(reason) = engine.stop_reason() {
            tracing::error!(%reason, "the shard stopped; reads go on, nothing more is taken");
            return std::future::pending().await;
        }
    }
}

/// The first signal asks for a graceful end, a second one ends at once.
async fn wait_for_signals(mut signals: Signals, asked: watch::Sender<bool>) {
    for count in 0u8.. {
        signals.next().await;
        if count > 0 {
            eprintln!("ended at once; what was acknowledged is safe");
            std::process::exit(130);
        }
        tracing::info!("asked to stop");
        asked.send_replace(true);
    }
}

/// The signals that end a service. From the moment that there is one of these none is lost, and none kills.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if let Err(fault) = tokio::signal::ctrl_c().await {
            tracing::error!(%fault, "cannot wait for signals");
            std::future::pending().await
        }
    }
}

/// Says on standard output where the exchange is and what to try first.
fn announce(settings: &Settings, address: SocketAddr, engine: &Engine) -> std::io::Result<()> {
    let recovery = engine.recovery();
    tracing::info!(
        %address,
        commands = recovery.command_sequence,
        events = recovery.event_sequence,
        snapshot = recovery.snapshot_sequence,
        "ready"
    );
    let mut out = std::io::stdout().lock();
    writeln!(out, "dex {} is ready", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  address  http://{address}")?;
    writeln!(
        out,
        "  data     {} ({} commands recovered in {} ms{})",
        settings.data_dir.display(),
        recovery.command_sequence,
        recovery.took.as_millis(),
        match recovery.snapshot_sequence {
            0 => String::new(),
            event => format!(", from the snapshot of event {event}"),
        }
    )?;
    writeln!(out, "\n  curl http://{address}/health")?;
    out.flush()
}
