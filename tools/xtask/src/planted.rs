//! `cargo xtask sim --planted [--runs N] [NAME..]`: does the simulator find defects that were planted?
//!
//! Owns the way from the list of defects (`tools/sim/planted`, read by `planted/list.rs`) to a line for each:
//! killed by which seed and by which promise, or survived. All of them are built at once: in a copy of the
//! sources below `target/planted` (`planted/copy.rs`) each text that a defect replaces becomes a choice between
//! what was there and the defect (`planted/plant.rs`), by a variable of the process. So there is one build, and
//! `planted/runs.rs` runs it without a defect first (the control, which must pass) and then with each in turn.
//! The sources themselves are never touched.
//!
//! Invariants: without the list, or with a text that is not there exactly once, nothing is run; a defect that no
//! seed shows fails the command, and so does a control that fails.

mod copy;
mod list;
mod plant;
mod runs;

use anyhow::{Context, bail, ensure};

use crate::tree::{self, Tree};
use list::Defect;
use runs::{Built, End};

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let asked = Asked::read(args)?;
    let root = tree::root()?;
    let tree = Tree::load(&root)?;
    let all = list::read(&tree)?;
    let wanted = asked.of(&all)?;
    let planted = plant::plant(&tree, &all)?;
    let copied = copy::write(&tree, &planted.texts, &root.join(FOLDER))?;
    eprintln!("{} defects planted; {copied} files of the copy are new", all.len());
    let built = Built::make(&root, &root.join(FOLDER), &planted.places)?;
    let control = built.run(None, asked.runs)?;
    println!("control, without a defect: {}", control.told());
    if !matches!(control, End::Survived) {
        bail!("the simulator fails without a defect: nothing that it finds would show anything");
    }
    let killed = runs::run_all(&built, &wanted, asked.runs)?;
    println!("{killed} of {} killed", wanted.len());
    ensure!(killed == wanted.len(), "{} survived", wanted.len() - killed);
    Ok(())
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    names: Vec<String>,
    /// Seeds that each defect is run with at the most.
    runs: u64,
}

impl Asked {
    fn read(args: &[String]) -> anyhow::Result<Self> {
        let mut asked = Self { names: Vec::new(), runs: RUN_COUNT };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match arg.as_str() {
                "--runs" => {
                    let count = rest.next().and_then(|it| it.parse().ok()).filter(|&it| it > 0);
                    asked.runs = count.context("--runs takes a number")?;
                }
                flag if flag.starts_with('-') => bail!("`{flag}` is not understood"),
                name => asked.names.push(name.to_owned()),
            }
        }
        Ok(asked)
    }

    /// The defects asked for, all without a name.
    fn of<'a>(&self, all: &'a [Defect]) -> anyhow::Result<Vec<&'a Defect>> {
        if self.names.is_empty() {
            return Ok(all.iter().collect());
        }
        let find = |name: &String| {
            let found = all.iter().find(|defect| defect.name == *name);
            found.with_context(|| format!("there is no planted defect `{name}`"))
        };
        self.names.iter().map(find).collect()
    }
}

/// Copy and build lie here, and stay: a second run builds only what changed.
const FOLDER: &str = "target/planted";
/// Seeds that each defect is run with at the most, unless the caller says otherwise.
const RUN_COUNT: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> anyhow::Result<Asked> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Asked::read(&args)
    }

    #[test]
    fn names_and_a_number_of_runs_are_understood_and_nothing_else() {
        let asked = read("a --runs 7 b").expect("understood");
        assert_eq!((asked.names, asked.runs), (vec!["a".to_owned(), "b".to_owned()], 7));
        assert_eq!(read("").expect("understood").runs, RUN_COUNT);
        for line in ["--runs", "--runs 0", "--runs x", "--fast"] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_name_that_is_not_in_the_list_is_refused() {
        assert!(read("no-such-defect").expect("understood").of(&[]).is_err());
    }
}
