//! A tool on the folder of an exchange that has stopped.
//!
//! The first line of a block is the command as it is typed, `data` the folder; the others are what it prints.
//! Accounts and orders stand under their names. What is another one at each run stands as `TIME`, `ID`, `HASH`, and
//! `N` for the number of a command, since Ticks come with time; rates are no part of what is printed.

use std::path::Path;
use std::process::Command;

use crate::page::{Block, Fault};
use crate::request::{Names, resolve};

/// The lines of the block as they would be right; what may stand in the command has more names than what it prints.
pub(crate) fn run(
    folder: &Path,
    block: &Block,
    (names, typed_names): (&Names, &Names),
) -> Result<Vec<String>, Fault> {
    let fault = |text: String| Fault::new(block.line, text);
    let Some(typed) = block.lines.first() else { return Err(fault("an empty block".to_owned())) };
    let Some(args) = typed.strip_prefix("dex ") else {
        return Err(fault("a tool is called as `dex TOOL ...`".to_owned()));
    };
    let args = resolve(args, typed_names).map_err(fault)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_dex"));
    for arg in args.split(' ') {
        match arg {
            "data" => command.arg(folder),
            arg => command.arg(arg),
        };
    }
    let output = command.output().expect("it starts");
    if !output.status.success() {
        return Err(fault(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let text = String::from_utf8(output.stdout).expect("text");
    let printed = text.lines().map(|line| same_at_each_run(line, names));
    Ok(std::iter::once(typed.clone()).chain(printed).collect())
}

/// A line with names, and with signs for what another run prints otherwise.
fn same_at_each_run(line: &str, names: &Names) -> String {
    let mut line = line.trim_end().to_owned();
    for (name, id) in names {
        line = line.replace(id, name);
    }
    let mut out = String::with_capacity(line.len());
    let mut word = String::new();
    let mut before = String::new();
    for sign in line.chars().chain(['\n']) {
        if sign.is_ascii_alphanumeric() || "-:._/".contains(sign) {
            word.push(sign);
            continue;
        }
        out.push_str(&masked(&word, &before));
        if !word.is_empty() {
            before = std::mem::take(&mut word);
        }
        if sign != '\n' {
            out.push(sign);
        }
    }
    out
}

fn masked(word: &str, before: &str) -> String {
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = word.as_bytes();
    if word.len() == 64 && is_hex {
        "HASH".to_owned()
    } else if word.len() == 36 && [8, 13, 18, 23].iter().all(|at| bytes[*at] == b'-') {
        "ID".to_owned()
    } else if word.len() > 19 && bytes[10] == b'T' && word.ends_with('Z') {
        "TIME".to_owned()
    } else if before == "command"
        && word.bytes().all(|byte| byte.is_ascii_digit())
        && !word.is_empty()
    {
        "N".to_owned()
    } else {
        word.to_owned()
    }
}
