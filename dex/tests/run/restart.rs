//! Ends and starts: what was acknowledged is there again, and a wrong start says what to do.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Dex, dex, log, order, output, token};

/// After a graceful end and after a kill every acknowledged order is there, and none twice.
#[test]
fn what_was_acknowledged_survives() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut expected = Vec::new();
    let mut account = String::new();
    for round in 0..3 {
        let dex = Dex::start(folder.path(), &[]);
        if round == 0 {
            dex.list();
            account = dex.open("a");
        }
        let token = token(folder.path(), &["--account", &account]);
        for price in 1..=5 {
            let body = order("BUY", "1", &(100 + round * 10 + price).to_string());
            let (status, placed) = dex.call(("POST", "/v1/orders"), &token, &body);
            assert_eq!(status, 201, "{placed}");
            expected.push(placed["order_id"].clone());
        }
        let path = format!("/v1/accounts/{account}/orders");
        let (_, orders) = dex.call(("GET", &path), &token, &Value::Null);
        let shown: Vec<Value> = orders["orders"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|order| order["order_id"].clone())
            .collect();
        assert_eq!(shown, expected, "round {round}");
        if round == 1 {
            dex.kill();
        } else {
            assert!(dex.terminate().success());
        }
    }
}

/// A start begins from a snapshot, says so, and shows what one that replays everything shows; a damaged one is
/// put aside and told of.
/// covers: REC-25
#[test]
fn a_start_begins_from_a_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("dex.toml"), "snapshot_events = 20\nsnapshot_count = 2\n")
        .expect("written");
    let dex = Dex::start(folder.path(), &[]);
    dex.list();
    let account = dex.open("a");
    let own = token(folder.path(), &["--account", &account]);
    let snapshots = || -> Vec<String> {
        let files = fs::read_dir(folder.path().join("data/snapshots")).expect("a folder");
        let names =
            files.map(|it| it.expect("readable").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".snapshot")).collect();
        names.sort();
        names
    };
    let mut expected = Vec::new();
    let began = Instant::now();
    while snapshots().len() < 2 {
        let price = (100 + expected.len()).to_string();
        let (status, placed) = dex.call(("POST", "/v1/orders"), &own, &order("BUY", "1", &price));
        assert_eq!(status, 201, "{placed}");
        expected.push(placed["order_id"].clone());
        assert!(began.elapsed() < Duration::from_secs(60), "no snapshot was taken");
    }
    let figures = dex.text(("GET", "/metrics"), &token(folder.path(), &["--role", "operator"]));
    assert!(figures.contains("dex_snapshot_sequence{role=\"core\"} "), "{figures}");
    let path = format!("/v1/accounts/{account}/orders");
    dex.kill();
    let show = |dex: &Dex| -> Vec<Value> {
        let (_, orders) = dex.call(("GET", &path), &own, &Value::Null);
        let orders = orders["orders"].as_array().expect("a list");
        orders.iter().map(|order| order["order_id"].clone()).collect()
    };
    let dex = Dex::start(folder.path(), &[]);
    assert_eq!(show(&dex), expected);
    let ready = |text: &str| {
        let line =
            text.lines().rfind(|line| line.contains("ready")).expect("it says so").to_owned();
        let (_, snapshot) = line.split_once("snapshot=").expect("it says from where");
        snapshot.split_whitespace().next().and_then(|it| it.parse::<u64>().ok()).expect("a number")
    };
    assert!(ready(&log(folder.path())) > 0);
    assert!(dex.terminate().success());
    for name in snapshots() {
        let path = folder.path().join("data/snapshots").join(name);
        let mut bytes = fs::read(&path).expect("there");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(path, bytes).expect("written");
    }
    let dex = Dex::start(folder.path(), &[]);
    assert_eq!(show(&dex), expected);
    let text = log(folder.path());
    assert_eq!(ready(&text), 0);
    assert!(text.contains("put aside") && text.contains(".damaged"), "{text}");
    assert!(dex.terminate().success());
}

/// Each wrong start ends with status 1 and a line that says what to do; the folder stays as it was.
#[test]
fn a_wrong_start_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let refused = |args: &[&str], wanted: &[&str]| {
        let (output, text) = output(dex(path).args(args));
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(text.starts_with("error: "), "{text}");
        for word in wanted {
            assert!(text.contains(word), "{args:?}: {text}");
        }
    };
    let run = ["run", "--listen", "127.0.0.1:0", "--data"];
    let with = |data: &'static str| [&run[..], &[data]].concat();

    let running = Dex::start(path, &[]);
    refused(&with("data"), &["in use", "another data folder"]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    refused(&["run", "--data", "other", "--listen", &address], &["in use", "--listen"]);
    assert!(running.terminate().success());

    let format = path.join("data/FORMAT");
    let before = fs::read_to_string(&format).expect("a format");
    fs::write(&format, before.replace('1', "99")).expect("written");
    refused(&with("data"), &["format 99", "run the version"]);
    fs::write(&format, before).expect("written");

    let key = path.join("data/keys/operator.key");
    let secret = fs::read_to_string(&key).expect("a key");
    fs::remove_file(&key).expect("removed");
    refused(&with("data"), &["operator.key is missing", "restore"]);
    let other = if secret.starts_with('0') { '1' } else { '0' };
    fs::write(&key, format!("{other}{}", &secret[1..])).expect("written");
    refused(&with("data"), &["restore that key"]);
    fs::write(&key, "nonsense").expect("written");
    refused(&with("data"), &["64 hexadecimal digits"]);
    fs::write(&key, secret).expect("written");

    fs::create_dir(path.join("foreign")).expect("made");
    fs::write(path.join("foreign/notes.txt"), "mine").expect("written");
    refused(&with("foreign"), &["not a data folder"]);
    fs::write(path.join("dex.toml"), "lissen = \"127.0.0.1:1\"\n").expect("written");
    refused(&with("data"), &["lissen", "dex.toml"]);
    fs::remove_file(path.join("dex.toml")).expect("removed");
    let (output, text) = output(dex(path).env("DEX_LISSEN", "127.0.0.1:1").args(with("data")));
    assert!(!output.status.success() && text.to_lowercase().contains("lissen"), "{text}");

    assert!(Dex::start(path, &[]).terminate().success(), "and the folder is as good as before");
}

/// Settings come from the file and the environment; what the tests' variables name is no setting.
#[test]
fn settings_come_from_file_and_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("dex.toml"), "data_dir = \"from-file\"\n").expect("written");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    // The address in the environment is taken, so that the command ends and names it.
    let mut command = dex(path);
    command.env("DEX_LISTEN", &address).env("DEX_DATA", "/nowhere").env("DEX_DATA_REQUIRED", "1");
    let (output, text) = output(command.arg("run"));
    assert!(!output.status.success() && text.contains(&address), "{text}");
    assert!(!path.join("from-file").exists(), "nothing is made before the address is had");
}

/// covers: INV-15
#[test]
fn a_token_longer_than_900_s_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = Dex::start(folder.path(), &[]);
    for ttl in ["0", "901", "-5"] {
        let ttl = format!("--ttl={ttl}");
        let args = ["token", "--data", "data", "--role", "operator", &ttl];
        let (output, text) = output(dex(folder.path()).args(args));
        assert!(!output.status.success() && text.contains("1 to 900"), "{text}");
    }
    assert!(running.terminate().success());
}

/// The demonstration makes its venue once, trades through the door, and goes on after a restart.
#[test]
fn the_demonstration_trades_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let dex = Dex::start(folder.path(), &["--demo"]);
        let path = "/v1/market/book?symbol=ETH-USDT";
        let has_both_sides = |book: &Value| {
            ["bids", "asks"]
                .iter()
                .all(|side| book[side].as_array().is_some_and(|it| !it.is_empty()))
        };
        let began = Instant::now();
        while !has_both_sides(&dex.call(("GET", path), "", &Value::Null).1) {
            assert!(began.elapsed() < Duration::from_secs(60), "no book in a minute");
            std::thread::yield_now();
        }
        let (_, markets) = dex.call(("GET", "/v1/market/markets"), "", &Value::Null);
        assert_eq!(markets["markets"].as_array().map(Vec::len), Some(2));
        assert!(dex.terminate().success());
    }
    assert!(!log(folder.path()).contains("ERROR"), "{}", log(folder.path()));
}
