//! A running `dex` and its venue.
//!
//! Starts and ends are waited for by their conditions, each with a deadline. A process that a failed row
//! leaves is killed by the drop.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::binary;
use crate::http::{Http, Request, list, text};

/// A running exchange.
pub(crate) struct Exchange {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    /// A token of an operator.
    pub(crate) operator: String,
}

/// Where an exchange lives, and how it is started.
pub(crate) struct Home {
    /// Where its log lies.
    folder: PathBuf,
    data: PathBuf,
    /// Words in front of the program's name.
    pub(crate) before: Vec<String>,
    /// Variables of the environment.
    pub(crate) settings: Vec<(&'static str, String)>,
}

/// The end of an exchange that did not start.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How.
    pub(crate) status: ExitStatus,
}

impl Home {
    /// A home with its data in the same folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self::with_data(folder, &folder.join("data"))
    }

    /// A home whose data lies elsewhere.
    pub(crate) fn with_data(folder: &Path, data: &Path) -> Self {
        let (folder, data) = (folder.to_path_buf(), data.to_path_buf());
        Self { folder, data, before: Vec::new(), settings: Vec::new() }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// What every run logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The end of it.
    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// The command line, without the settings of whoever runs this.
    pub(crate) fn dex(&self) -> Command {
        self.clean(Command::new(binary::dex()))
    }

    fn clean(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DEX_")) {
            command.env_remove(name);
        }
        command.current_dir(&self.folder);
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// A token for a trader of these accounts.
    pub(crate) fn token(&self, accounts: &[&str]) -> String {
        let pairs = accounts.iter().flat_map(|&account| ["--account", account]);
        self.make_token(&pairs.collect::<Vec<_>>())
    }

    /// A token as `dex token` makes it.
    pub(crate) fn make_token(&self, args: &[&str]) -> String {
        let output = self.dex().args(["token", "--data"]).arg(&self.data).args(args).output();
        let output = output.expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Starts the exchange and waits until it answers.
    pub(crate) fn start(&self) -> Exchange {
        let exchange = self.try_start().unwrap_or_else(|Ended { status }| {
            panic!("it ends with {status} instead of starting:\n{}", self.log_end());
        });
        assert_eq!(text(&exchange.health(), "status"), "healthy");
        exchange
    }

    /// Starts the exchange and waits until it says where it listens, or ends.
    pub(crate) fn try_start(&self) -> Result<Exchange, Ended> {
        let (mut exchange, address) = self.launch();
        match address.recv_timeout(START_TIME) {
            Ok(address) => exchange.address = address,
            Err(RecvTimeoutError::Timeout) => {
                panic!("it does not say where it listens:\n{}", self.log_end());
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = exchange.child.wait().expect("it ends");
                return Err(Ended { status });
            }
        }
        exchange.operator = self.make_token(&["--role", "operator"]);
        Ok(exchange)
    }

    /// What `dex verify` says of the data folder, if both replays agree.
    pub(crate) fn verify(&self) -> Value {
        let output =
            self.dex().arg("verify").arg(&self.data).arg("--json").output().expect("it starts");
        let [out, err] = [output.stdout, output.stderr].map(String::from_utf8);
        let (out, err) = (out.expect("UTF-8"), err.expect("UTF-8"));
        assert!(output.status.success(), "{out}{err}");
        serde_json::from_str(&out).expect("JSON")
    }

    /// Starts the exchange and kills it after so long, or as soon as it is ready: in the middle of
    /// its recovery, or right behind it.
    pub(crate) fn start_and_kill(&self, moment: Duration) {
        let (mut exchange, address) = self.launch();
        let _ = address.recv_timeout(moment);
        exchange.kill();
    }

    /// A process that starts, and where its address will be told.
    fn launch(&self) -> (Exchange, Receiver<String>) {
        let log = File::options().create(true).append(true).open(self.folder.join("log"));
        let mut command = match &self.before[..] {
            [] => self.dex(),
            [program, words @ ..] => {
                let mut command = self.clean(Command::new(program));
                command.args(words).arg(binary::dex());
                command
            }
        };
        command.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(&self.data);
        let log = log.expect("a log");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (found, address) = mpsc::channel();
        // Reads to the end, so that the pipe stays open.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(rest) = line.trim().strip_prefix("address") {
                    let _ = found.send(rest.trim().replace("http://", ""));
                }
            }
        });
        (Exchange { child, address: String::new(), operator: String::new() }, address)
    }
}

impl Exchange {
    /// A new connection, while nobody kills it.
    pub(crate) fn connect(&self) -> Http {
        Http::connect(&self.address).expect("it listens")
    }

    pub(crate) fn health(&self) -> Value {
        self.connect().ask(Request::get("/health", "")).json(200)
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash would, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), None, "it ended by itself before the kill: {status}");
    }

    /// Ends it as a service manager would.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().expect("it ends")
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(kill.expect("kill").success());
    }

    /// Lists the market and opens the accounts; answers their ids.
    pub(crate) fn set_up(&self, account_count: usize) -> Vec<String> {
        for (symbol, name, decimals) in [("BTC", "Bitcoin", 8), ("USDT", "Tether", 6)] {
            let body = json!({"symbol": symbol, "name": name, "decimals": decimals});
            self.made("/v1/admin/assets", &body);
        }
        let body = json!({"symbol": SYMBOL, "tick_size": "0.01", "lot_size": "0.0001",
            "max_price": "1000000", "max_quantity": "1000", "open_orders_max": 10_000});
        self.made("/v1/admin/markets", &body);
        let open = |number| {
            let body = json!({"external_id": format!("trader-{number}"), "kyc_tier": 1});
            let account = text(&self.made("/v1/admin/accounts", &body), "account_id").to_owned();
            for (asset, amount) in FUNDS {
                let body = json!({"account_id": account, "asset": asset, "amount": amount});
                self.made("/v1/admin/deposits", &body);
            }
            account
        };
        (0..account_count).map(open).collect()
    }

    /// Ids of the exchange's own accounts; the last is the world outside.
    pub(crate) fn system_accounts(&self) -> Vec<String> {
        let mut http = self.connect();
        let id = |name: &&str| {
            let path = format!("/v1/admin/accounts?external_id={name}");
            let found = http.ask(Request::get(&path, &self.operator)).json(200);
            text(&found, "account_id").to_owned()
        };
        SYSTEM.iter().map(id).collect()
    }

    fn made(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let token = self.operator.as_str();
        let request = Request { method: "POST", path, token, key: "", body: &body };
        self.connect().ask(request).json(201)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The balances of an account.
pub(crate) fn balances(http: &mut Http, account: &str, token: &str) -> Vec<Value> {
    let path = format!("/v1/accounts/{account}/balances");
    list(&http.ask(Request::get(&path, token)).json(200), "balances").to_vec()
}

pub(crate) const SYMBOL: &str = "BTC/USDT";
/// What an account begins with.
pub(crate) const FUNDS: [(&str, &str); 2] = [("BTC", "1000000"), ("USDT", "100000000")];
/// The exchange's own accounts (D-41).
const SYSTEM: [&str; 8] = [
    "REVENUE",
    "INSURANCE_FUND",
    "REFERRAL",
    "OPERATIONS",
    "LENDING",
    "TRANSIT",
    "PENDING_WITHDRAWAL",
    "EXTERNAL",
];
/// A start with recovery is over by then, also on a machine that does much else.
const START_TIME: Duration = Duration::from_secs(600);
/// Lines of the log that a failure shows.
const LOG_LINES: usize = 20;
