//! A running `dex`, and a client that speaks HTTP/1.1 over one connection.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use serde_json::{Value, json};

/// A `dex run` of a test. Killed if the test ends without stopping it.
pub(crate) struct Dex {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    operator: String,
}

/// The command line, without the settings of whoever runs the tests.
pub(crate) fn dex(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dex"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DEX_")) {
        command.env_remove(name);
    }
    command.current_dir(folder);
    command
}

/// Where every run in a folder logs.
fn log_file(folder: &Path) -> File {
    let file = File::options().create(true).append(true).open(folder.join("log"));
    file.expect("a file")
}

/// What was logged in a folder.
pub(crate) fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).expect("a log")
}

/// Runs a command that ends.
pub(crate) fn output(command: &mut Command) -> (Output, String) {
    let output = command.output().expect("it starts");
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into();
    (output, text)
}

/// A token made by the binary.
pub(crate) fn token(folder: &Path, args: &[&str]) -> String {
    let (output, text) = output(dex(folder).args(["token", "--data", "data"]).args(args));
    assert!(output.status.success(), "{text}");
    text.trim().to_owned()
}

impl Dex {
    /// Starts on the folder `data` inside `folder` and waits until it is ready.
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Self {
        let mut child = dex(folder)
            .args(["run", "--data", "data", "--listen", "127.0.0.1:0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(log_file(folder))
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.trim().strip_prefix("address").map(|rest| rest.trim().replace("http://", ""))
        });
        // Nobody reads on: the pipe stays open so that later lines go nowhere and do no harm.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.expect("it says where it listens");
        let operator = token(folder, &["--role", "operator"]);
        Self { child, address, operator }
    }

    /// Asks as an operator.
    pub(crate) fn operator(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.call((method, path), &self.operator, body)
    }

    /// Asks with a token; an empty one is none.
    pub(crate) fn call(
        &self,
        (method, path): (&str, &str),
        token: &str,
        body: &Value,
    ) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let credentials = match token {
            "" => String::new(),
            token => format!("authorization: Bearer {token}\r\n"),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{credentials}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        let body = text.split_once("\r\n\r\n").expect("a head").1;
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// The text that an address answers; over HTTP/1.0, so that it comes in one piece.
    pub(crate) fn text(&self, (method, path): (&str, &str), token: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let head = format!("{method} {path} HTTP/1.0\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert_eq!(head.split(' ').nth(1), Some("200"), "{text}");
        body.to_owned()
    }

    /// Lists BTC, USDT and their market.
    pub(crate) fn list(&self) {
        for (symbol, name, decimals) in [("BTC", "Bitcoin", 8), ("USDT", "Tether", 6)] {
            let body = json!({"symbol": symbol, "name": name, "decimals": decimals});
            let (status, answer) = self.operator("POST", "/v1/admin/assets", &body);
            assert_eq!(status, 201, "{answer}");
        }
        let body = json!({"symbol": "BTC/USDT", "tick_size": "0.01", "lot_size": "0.0001",
            "max_price": "1000000", "max_quantity": "1000"});
        let (status, answer) = self.operator("POST", "/v1/admin/markets", &body);
        assert_eq!(status, 201, "{answer}");
    }

    /// Opens an account with money.
    pub(crate) fn open(&self, external_id: &str) -> String {
        let body = json!({"external_id": external_id, "kyc_tier": 1});
        let (status, answer) = self.operator("POST", "/v1/admin/accounts", &body);
        assert_eq!(status, 201, "{answer}");
        let account = answer["account_id"].as_str().expect("an id").to_owned();
        for (asset, amount) in [("BTC", "10"), ("USDT", "1000000")] {
            let body = json!({"account_id": account, "asset": asset, "amount": amount});
            let (status, answer) = self.operator("POST", "/v1/admin/deposits", &body);
            assert_eq!(status, 201, "{answer}");
        }
        account
    }

    /// Asks it to end, as a service manager would.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args(["-TERM", &id]).status();
        assert!(kill.expect("kill").success());
        self.child.wait().expect("it ends")
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Dex {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of a limit order.
pub(crate) fn order(side: &str, quantity: &str, price: &str) -> Value {
    json!({"symbol": "BTC/USDT", "side": side, "type": "LIMIT", "quantity": quantity,
        "price": price, "time_in_force": "GTC"})
}
