//! Reading a `.scene` file: blocks, steps, and what each step must show. Nothing is run here.

use super::acts::{self, Act};
use super::setup::{self, SetUp};
use super::tables::Table;
use super::words::Words;

/// What is wrong with a scene's text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// One example.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) title: String,
    pub(crate) set_up: SetUp,
    pub(crate) steps: Vec<Step>,
}

/// One thing that is done or looked at.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// The clock moves to this time of the scene.
    At(i64),
    /// A command runs.
    Command(Box<Command>),
    /// The state is as this table says.
    Shows(Table, Vec<Row>),
    /// Balances, orders and markets are as before the last command.
    Unchanged,
}

/// A line that must appear.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) text: String,
}

/// A command and the events that it must make.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) count: u32,
    pub(crate) act: Act,
    /// All events are listed, not the main ones only.
    pub(crate) in_full: bool,
    pub(crate) events: Vec<Row>,
}

/// The lines of a file that say something, with their numbers.
struct Lines<'a> {
    all: Vec<(usize, &'a str)>,
    next: usize,
}

impl<'a> Lines<'a> {
    fn peek(&self) -> Option<(usize, &'a str)> {
        self.all.get(self.next).copied()
    }

    fn take(&mut self) -> Option<(usize, &'a str)> {
        let line = self.peek();
        self.next += 1;
        line
    }

    /// The indented lines that follow.
    fn indented(&mut self) -> Vec<(usize, &'a str)> {
        let mut rows = Vec::new();
        while let Some((line, text)) = self.peek().filter(|(_, text)| text.starts_with(' ')) {
            rows.push((line, text.trim()));
            self.next += 1;
        }
        rows
    }
}

/// Reads all scenes of a file.
pub(crate) fn parse(text: &str) -> Result<Vec<Scene>, Fault> {
    let mut lines = Lines { all: Vec::new(), next: 0 };
    let mut covered = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_end();
        if trimmed.starts_with("# covers:") {
            covered.push(index + 1);
        } else if !trimmed.is_empty() && !trimmed.starts_with('#') {
            lines.all.push((index + 1, trimmed));
        }
    }
    let mut scenes = Vec::new();
    while let Some((line, text)) = lines.take() {
        let Some(title) = text.strip_prefix("scene ") else {
            return Err(Fault { line, text: format!("`scene TITLE` is expected, not `{text}`") });
        };
        let why = lines.peek().map_or("", |(_, why)| why);
        let scene = read_scene(title, &mut lines)?;
        let end = lines.peek().map_or(usize::MAX, |(line, _)| line);
        if !covered.iter().any(|at| (line..end).contains(at)) && !why.contains("(D-") {
            let text = "it says neither `# covers:` nor, in its `why`, a decision like (D-96)";
            return Err(Fault { line, text: text.into() });
        }
        if !scene.steps.iter().any(Step::looks) {
            return Err(Fault { line, text: "the scene looks at nothing".into() });
        }
        scenes.push(scene);
    }
    Ok(scenes)
}

impl Step {
    fn looks(&self) -> bool {
        match &self.what {
            What::Command(command) => !command.events.is_empty(),
            What::At(_) => false,
            What::Shows(..) | What::Unchanged => true,
        }
    }
}

fn read_scene(title: &str, lines: &mut Lines) -> Result<Scene, Fault> {
    let Some((line, why)) = lines.take() else {
        return Err(Fault { line: 0, text: format!("`{title}` has nothing in it") });
    };
    if !why.starts_with("why ") {
        return Err(Fault { line, text: "`why` and a sentence must follow the title".into() });
    }
    let mut set_up = SetUp::default();
    while let Some((line, text)) = lines.peek() {
        let mut words = Words::new(line, text);
        if !setup::is_head(words.peek()) {
            break;
        }
        lines.take();
        setup::read_head(&mut set_up, &mut words)?;
        for (line, row) in lines.indented() {
            setup::read_account(&mut set_up, &mut Words::new(line, row), row)?;
        }
    }
    let mut steps = Vec::new();
    while let Some((line, text)) = lines.peek() {
        if text.starts_with("scene ") {
            break;
        }
        lines.take();
        let rows = lines.indented();
        steps.push(Step { line, what: read_step(line, text, &rows)? });
    }
    Ok(Scene { title: title.to_owned(), set_up, steps })
}

fn read_step(line: usize, text: &str, rows: &[(usize, &str)]) -> Result<What, Fault> {
    let mut words = Words::new(line, text);
    if words.take("at") {
        let time = words.time("the time")?;
        words.end()?;
        no_rows(rows)?;
        return Ok(What::At(time));
    }
    if words.take("unchanged") {
        words.end()?;
        no_rows(rows)?;
        return Ok(What::Unchanged);
    }
    if let Some((table, first)) = Table::read(&mut words)? {
        let mut shown: Vec<Row> = first.into_iter().map(|text| Row { text }).collect();
        for (line, row) in rows {
            table.check_row(&mut Words::new(*line, row))?;
            shown.push(Row { text: (*row).to_owned() });
        }
        return Ok(What::Shows(table, shown));
    }
    let count = if words.take("repeat") { words.count("how often")? } else { 1 };
    let act = acts::read(&mut words)?;
    words.end()?;
    let in_full = rows.first().is_some_and(|(_, row)| *row == "in full");
    let mut events = Vec::new();
    for (line, row) in &rows[usize::from(in_full)..] {
        events.extend(super::lines::expected(*line, row)?);
    }
    Ok(What::Command(Box::new(Command { count, act, in_full, events })))
}

fn no_rows(rows: &[(usize, &str)]) -> Result<(), Fault> {
    match rows.first() {
        Some((line, row)) => Err(Fault { line: *line, text: format!("unknown word `{row}`") }),
        None => Ok(()),
    }
}
