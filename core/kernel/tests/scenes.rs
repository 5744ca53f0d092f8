//! The scenes: each `.scene` file beside its manual in `scenes/`, run on four kernels.

mod common;
mod scene;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs every scene of a file and tells of all that differ.
fn play(file: &str, text: &str) {
    let scenes = match scene::parse(text) {
        Ok(scenes) => scenes,
        Err(fault) => panic!("{file}:{}: {}", fault.line, fault.text),
    };
    let mut differing = Vec::new();
    for scene in &scenes {
        let result = catch_unwind(AssertUnwindSafe(|| scene::run(scene)));
        match result {
            Ok(Ok(())) => {}
            Ok(Err(text)) => differing.push(format!("{file}: {}\n  {text}", scene.title)),
            Err(_) => differing.push(format!("{file}: {}\n  a kernel stopped", scene.title)),
        }
    }
    assert!(
        differing.is_empty(),
        "{} of {} scenes differ\n\n{}",
        differing.len(),
        scenes.len(),
        differing.join("\n")
    );
}

/// One test for each file.
macro_rules! files {
    ($($name:ident)+) => {
        const FILES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("scenes/", stringify!($name), ".scene")))),+];

        $(
            #[test]
            fn $name() {
                let file = concat!(stringify!($name), ".scene");
                play(file, include_str!(concat!("scenes/", stringify!($name), ".scene")));
            }
        )+
    };
}

files! {
    accounts
    book
    bounds
    changes
    faults
    fees
    halts
    interplay
    kernels
    keys
    market
    markets
    money
    oco
    prorata
    rejects
    selftrade
    tif
    triggers
}

/// No file is left out, and a title names one scene.
#[test]
fn every_file_is_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenes");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of the scenes")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "scene"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    found.sort();
    let mut listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    listed.sort_unstable();
    assert_eq!(found, listed);
    let scenes = FILES.iter().flat_map(|(_, text)| scene::parse(text).expect("a sound file"));
    let mut titles: Vec<String> = scenes.map(|scene| scene.title).collect();
    let count = titles.len();
    assert!(count >= 120, "{count} scenes");
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), count, "two scenes have one title");
}

/// A scene of two accounts with these lines behind its head, which has eight lines.
fn small(lines: &str) -> String {
    format!(
        "scene A small one\n# covers: LIFE-22\nwhy To see what is said.\nfees 0% 0%\naccounts\n  \
         ann  1 BTC\n  bob  1000 USDT\nann: a1 = sell 1 @ 100\n{lines}"
    )
}

fn told(text: &str) -> String {
    let scenes = scene::parse(text).expect("a sound text");
    scene::run(&scenes[0]).expect_err("something differs")
}

/// A word that the format does not know is told with its line, wherever it stands.
#[test]
fn unknown_words_are_faults() {
    for (lines, line, word) in [
        ("bob: b1 = buy 1 @ 100 quickly\n", 9, "unknown word `quickly`"),
        ("bob: bids 1\n", 9, "unknown word `bids`"),
        ("bob buys 1\n", 9, "unknown word `bob`"),
        ("bob: b1 = bid 1 @ 100\n", 9, "unknown word `bid`"),
        ("bob: b1 = buy one @ 100\n", 9, "the quantity: `one` is no decimal"),
        ("bob: b1 = buy 1 @\n", 9, "the price is missing"),
        ("tick now\n", 9, "unknown word `now`"),
        ("at soon\n", 9, "the time: `soon` is no time like 1d12h or 5s+1ns"),
        ("operator: delist BTC/USDT\n", 9, "unknown word `delist`"),
        ("operator: set BTC/USDT color 1\n", 9, "unknown word `color`"),
        ("bob: b1 = buy 1 @ 100\n  traded b1 a1\n", 10, "unknown word `traded`"),
        ("book\n  ask 100  a1 1\n", 10, "unknown word `ask`"),
        ("book full\n", 9, "unknown words `full`"),
        ("best 99 101\n", 9, "unknown words `99 101`"),
        ("at 5s\n  book\n", 10, "unknown word `book`"),
        ("unchanged\n\nscene A second one\nbook empty\n", 12, "`why` and a sentence must follow"),
        ("unchanged\nscene A second one\nwhy So.\ntick\n", 10, "it says neither `# covers:` nor"),
        ("", 1, "the scene looks at nothing"),
    ] {
        let fault = scene::parse(&small(lines)).expect_err(lines);
        assert!(fault.line == line && fault.text.starts_with(word), "{lines}: {fault:?}");
    }
    let head = "scene A\n# covers: LIFE-22\nwhy So.\nmarket BTC/USDT shape round\nbook empty\n";
    assert_eq!(scene::parse(head).expect_err("a word").line, 4);
}

/// What differs is told side by side, with the line of the step.
#[test]
fn what_differs_is_told() {
    let text = told(&small("bob: b1 = buy 0.4 @ 100\n  trade b1 takes a1: 0.5 @ 100\n"));
    assert!(text.starts_with("line 9: events\n"), "{text}");
    assert!(text.contains("* trade b1 takes a1: 0.5 @ 100 | trade b1 takes a1: 0.4 @ 100\n"));
    // An event that nobody listed, one that did not come, and a figure that is another.
    for lines in [
        "bob: b1 = buy 0.4 @ 100\nbook empty\n",
        "bob: b1 = buy 0.4 @ 99\n  expired b1 IOC\n",
        "bob: b1 = buy 0.4 @ 100\n  trade b1 takes a1: 0.4 @ 100, fees 0 and 1\n",
        "bob: b1 = buy 0.4 @ 99\n  in full\n  submitted b1\n  accepted b1\n",
        "bob: b1 = buy 0.4 @ 99\nunchanged\n",
        "repeat 2 bob: b# = buy 0.4 @ 100\nunchanged\n",
        "book\n  sell 100  a1 0.9\n",
        "book\n  sell 100  a1 1, a1 1\n",
        "book empty\n",
        "orders none\n",
        "orders\n  a1 PENDING 1 of 1 reserved 1 waiting\n",
        "balances\n  ann  1 BTC\n",
        "balances\n  bob  1000 USDT, 1 BTC\n",
        "balances\n  eve  nothing\n",
        "rates\n  ann 0% 0.1%\n",
        "last 100\n",
        "best 100 / -\n",
        "eve: e1 = buy 1 @ 100\nbook empty\n",
        "bob: cancel b7\nbook empty\n",
    ] {
        told(&small(lines));
    }
}
