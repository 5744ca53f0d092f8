//! A page of the guide as blocks.
//!
//! Only what a test runs may stand in a fence: a fence with another info string, an indented block and
//! a block that is never closed are faults, so that nothing in the guide goes unread.

use std::fmt;

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Requests to be sent.
    Request,
    /// What the last request is answered; a GET is repeated until it is.
    Answer,
    /// The events of the requests before it, with what each balance change posts or without.
    Events { postings: bool },
    /// What accounts hold now.
    Balances,
    /// A command on the data folder once the exchange has stopped, and what it prints.
    Tool,
}

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) kind: Kind,
    /// Number of the line of the opening fence, from 1.
    pub(crate) line: usize,
    pub(crate) lines: Vec<String>,
}

/// What stands under one heading of the second level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Name of its file.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) sections: Vec<Section>,
}

/// What is wrong on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn new(line: usize, text: impl fmt::Display) -> Self {
        Self { line, text: text.to_string() }
    }
}

impl Kind {
    fn of(info: &str) -> Option<Self> {
        match info {
            "request" => Some(Self::Request),
            "answer" => Some(Self::Answer),
            "events" => Some(Self::Events { postings: false }),
            "events postings" => Some(Self::Events { postings: true }),
            "balances" => Some(Self::Balances),
            "tool" => Some(Self::Tool),
            _ => None,
        }
    }
}

impl Page {
    /// Reads a page.
    pub(crate) fn read(name: &str, text: &str) -> Result<Self, Fault> {
        let mut sections = vec![Section::default()];
        let mut open: Option<Block> = None;
        for (line, content) in (1..).zip(text.lines()) {
            let section = sections.last_mut().expect("there is always one");
            match (&mut open, content.strip_prefix("```")) {
                (Some(_), Some("")) => section.blocks.extend(open.take()),
                (Some(block), None) => block.lines.push(content.to_owned()),
                (None, Some(info)) => open = Some(opened(line, info, section)?),
                (Some(_), Some(_)) => {
                    return Err(Fault::new(line, "a block in a block"));
                }
                (None, None) => {
                    check_prose(line, content)?;
                    if let Some(title) = content.strip_prefix("## ") {
                        sections.push(Section { title: title.to_owned(), blocks: Vec::new() });
                    }
                }
            }
        }
        match open {
            Some(block) => Err(Fault::new(block.line, "the block is never closed")),
            None => Ok(Self { name: name.to_owned(), text: text.to_owned(), sections }),
        }
    }

    /// Every block.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sections.iter().flat_map(|section| &section.blocks)
    }
}

fn opened(line: usize, info: &str, section: &Section) -> Result<Block, Fault> {
    let Some(kind) = Kind::of(info) else {
        return Err(Fault::new(line, format!("`{info}` is no kind of block that is run")));
    };
    let before = section.blocks.last().map(|block| block.kind);
    let has_request = section.blocks.iter().any(|block| block.kind == Kind::Request);
    let fits = match kind {
        Kind::Request | Kind::Balances => true,
        Kind::Answer => before == Some(Kind::Request),
        Kind::Events { .. } | Kind::Tool => has_request,
    };
    if !fits {
        return Err(Fault::new(line, format!("`{info}` stands behind no request")));
    }
    Ok(Block { kind, line, lines: Vec::new() })
}

/// Prose in which no code hides.
fn check_prose(line: usize, content: &str) -> Result<(), Fault> {
    let inner = content.trim_start();
    let is_fence = inner.starts_with("```") || inner.starts_with("~~~");
    let is_indented = content.starts_with("    ") || content.starts_with('\t');
    if is_fence || is_indented || inner.starts_with("<pre") {
        return Err(Fault::new(line, "code that is not in a block of its own"));
    }
    Ok(())
}
