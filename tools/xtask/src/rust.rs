//! A small reader of Rust source: tokens with their lines, and the items that tidy asks about.
//!
//! It is a lexer and a flat item finder, not a parser, so it also sees items inside macro calls and
//! needs no dependency. Invariant: every byte of a file belongs to white space or to one token, so
//! nothing hides from a check in a place that was skipped; a file that cannot be cut into tokens is
//! an error and fails the checks. It deliberately knows no types, names or macro expansion.
//! Read `rust/lexer.rs` for the tokens, `rust/items.rs` for items.

pub(crate) mod items;
pub(crate) mod lexer;

use anyhow::Context;

use items::Item;
use lexer::{Token, TokenKind};

/// One `.rs` file, cut into tokens and items.
#[derive(Debug)]
pub(crate) struct Source {
    /// The path from the root of the repository, with `/` between its parts.
    pub(crate) path: String,
    /// The number of lines of the file.
    pub(crate) line_count: usize,
    /// All tokens, comments too, in file order.
    pub(crate) tokens: Vec<Token>,
    /// Items in file order; an item inside another one's body is in the list as well.
    pub(crate) items: Vec<Item>,
}

impl Source {
    /// Cuts a file; an error names the file and the line that cannot be read.
    pub(crate) fn read(path: &str, text: &str) -> anyhow::Result<Self> {
        let tokens = lexer::tokens(text).with_context(|| format!("{path} cannot be read"))?;
        let items = items::items(&tokens);
        Ok(Self { path: path.to_owned(), line_count: text.lines().count(), tokens, items })
    }

    /// The tokens that the compiler sees: no comments, no documentation.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &Token)> {
        self.tokens.iter().enumerate().filter(|(_, t)| !t.is_comment())
    }

    /// The text of the `//!` lines at the top of the file, one entry a line; empty if it has none.
    pub(crate) fn header(&self) -> Vec<(usize, &str)> {
        let inner = |t: &&Token| t.kind == TokenKind::InnerDoc;
        self.tokens.iter().take_while(inner).map(|t| (t.line, t.comment_text())).collect()
    }

    /// The inner attributes of the file (`#![...]`), without white space.
    pub(crate) fn inner_attributes(&self) -> Vec<String> {
        items::inner_attributes(&self.tokens)
    }

    /// Whether the token at this index is compiled for tests only, as far as this file says.
    pub(crate) fn is_test_code(&self, token_index: usize) -> bool {
        self.items.iter().any(|i| i.is_test_only() && i.span.contains(&token_index))
    }
}
