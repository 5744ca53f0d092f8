//! An exchange on an empty folder, asked over HTTP, and what `dex log` says of it once it has stopped.
//!
//! Shard and door are those of `dex run`, put together here with small segments: a page starts many
//! exchanges, and 128 MiB of zeros for each would be most of the work.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ed25519_dalek::{Signer as _, SigningKey};
use engine::{Engine, Storage, SystemClock};
use gateway::{Claims, Door, OperatorSigner, Role, TokenSigner, random_id};
use journal::{DataFolder, Preparation, SegmentOptions};
use schema::limits::KEY_COUNT_DEFAULT;
use schema::{Genesis, Key, signed_bytes};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use units::{Id, Timestamp};

/// A running exchange.
pub(crate) struct Exchange {
    folder: TempDir,
    engine: Engine,
    runtime: Runtime,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
    /// Tokens by the accounts in them; the operator's under none.
    tokens: HashMap<Vec<String>, String>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nobody in particular.
    Anyone,
    /// An operator.
    Operator,
    /// The user of these accounts.
    Trader(Vec<String>),
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The request's id, which its events carry.
    pub(crate) request_id: String,
    pub(crate) body: Value,
}

/// The log of an exchange that has stopped: one line and one object for each event.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) lines: Vec<String>,
    pub(crate) objects: Vec<Value>,
}

struct OperatorKey(SigningKey);

impl OperatorSigner for OperatorKey {
    fn sign(&self, key: &Key, valid_until: Timestamp, command: &schema::Command) -> [u8; 64] {
        self.0.sign(&signed_bytes(VENUE, key, valid_until, command)).to_bytes()
    }
}

impl Exchange {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let operator = OperatorKey(SigningKey::from_bytes(&[7; 32]));
        let engine = engine(&folder, &operator);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let config = gateway::Config::new(token_signer().public_key(), VENUE);
        let door = Door::new(Arc::new(engine.port()), Arc::new(operator), config).expect("a key");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        let served = runtime.spawn(gateway::serve(door, listener, stopped));
        Self { folder, engine, runtime, address, stop, served, tokens: HashMap::new() }
    }

    /// Asks and waits for the answer.
    pub(crate) fn ask(
        &mut self,
        caller: &Caller,
        (method, path): (&str, &str),
        body: &str,
    ) -> Answer {
        let credentials = match caller {
            Caller::Anyone => String::new(),
            Caller::Operator => format!("authorization: Bearer {}\r\n", self.token(&[])),
            Caller::Trader(accounts) => {
                format!("authorization: Bearer {}\r\n", self.token(accounts))
            }
        };
        let size = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{credentials}content-length: {size}"
        );
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        let request_id = head.lines().find_map(|line| line.strip_prefix("x-request-id: "));
        Answer {
            status,
            request_id: request_id.expect("every answer has one").to_owned(),
            // Not everything is JSON: a table comes as its text.
            body: serde_json::from_str(body).unwrap_or_else(|_| body.into()),
        }
    }

    /// A token for these accounts, for an operator where there is none.
    fn token(&mut self, accounts: &[String]) -> String {
        let known = self.tokens.get(accounts).cloned();
        known.unwrap_or_else(|| {
            let token = mint(accounts);
            self.tokens.insert(accounts.to_vec(), token.clone());
            token
        })
    }

    /// Stops it and reads what it did; its folder is there as long as it is kept.
    pub(crate) fn stop(self) -> (Log, TempDir) {
        let Self { folder, engine, runtime, stop, served, .. } = self;
        let _ = stop.send(());
        runtime.block_on(served).expect("no panic").expect("it listened");
        drop(runtime);
        let _ = engine.stop();
        wait_for_lock(folder.path());
        let read = |more: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dex"));
            let output = command.arg("log").arg(folder.path()).args(more).output();
            let output = output.expect("it starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8(output.stdout).expect("text");
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let objects = read(&["--json"]);
        let objects = objects.iter().map(|line| serde_json::from_str(line).expect("JSON"));
        // The first line of the table names its columns.
        let log = Log { lines: read(&[]).split_off(1), objects: objects.collect() };
        (log, folder)
    }
}

/// Waits until nobody has the folder any more. A process that another thread is starting has a copy of
/// every open file until it runs, and so of the lock of a folder that was closed meanwhile.
fn wait_for_lock(folder: &Path) {
    let lock = File::open(folder.join("LOCK")).expect("every data folder has one");
    let began = Instant::now();
    while lock.try_lock_shared().is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "{} stays locked", folder.display());
        std::thread::yield_now();
    }
}

fn engine(folder: &TempDir, operator: &OperatorKey) -> Engine {
    let options = SegmentOptions { size: 1 << 20, preparation: Preparation::Inline };
    let folder = DataFolder::open(folder.path()).expect("an empty folder");
    let genesis = Genesis {
        venue_id: VENUE,
        shard: 0,
        operator_key: operator.0.verifying_key().to_bytes(),
        key_count_max: KEY_COUNT_DEFAULT,
        fee_tiers: fees::default_tiers(),
    };
    let config = engine::Config { genesis: Some(genesis), ..engine::Config::default() };
    let storage = Storage::open(folder, options).expect("empty logs");
    Engine::start_with(config, storage, Arc::new(SystemClock::new())).expect("it starts")
}

/// The key of all tokens.
fn token_signer() -> TokenSigner {
    TokenSigner::new(&[9; 32])
}

fn mint(accounts: &[String]) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = i64::try_from(since.as_secs()).expect("not that far");
    let role = if accounts.is_empty() { Role::Operator } else { Role::Trader };
    let accounts = accounts.iter().map(|id| id.parse().expect("an id")).collect();
    let claims =
        Claims { user: random_id(), accounts, role, issued_at: now, expires_at: now + 900 };
    token_signer().mint(&claims).expect("a short life")
}

const VENUE: Id = Id([5; 16]);
