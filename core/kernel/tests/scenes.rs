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
            Err(_) => differing.push(format!("{file}: {}\n  the kernel stopped", scene.title)),
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

/// No file is left out, and together they are as many as was promised.
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
    let count: usize =
        FILES.iter().map(|(_, text)| scene::parse(text).expect("a sound file").len()).sum();
    assert!(count >= 1, "{count} scenes");
}
