//! Cuts Rust source into tokens that know their line.
//!
//! Owns the lexical rules: nested comments, raw strings, lifetimes against characters, raw
//! identifiers. Punctuation is one character a token (`::` is two), numbers keep their suffix.
//! Invariant: an unfinished string or comment is an error with its line, never a shorter token list.

use anyhow::bail;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// An identifier or keyword, without `r#`.
    Word,
    /// One character of punctuation.
    Mark,
    /// A string, byte string, C string, character or byte.
    Quoted,
    /// A number with its suffix.
    Number,
    /// A lifetime or loop label, with its tick.
    Lifetime,
    /// `// …` or `/* … */`.
    Comment,
    /// `/// …` or `/** … */`.
    OuterDoc,
    /// `//! …` or `/*! … */`.
    InnerDoc,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Its text as written.
    pub(crate) text: String,
    /// The line of its first character, from 1.
    pub(crate) line: usize,
}

impl Token {
    /// Whether the compiler sees no code here.
    pub(crate) fn is_comment(&self) -> bool {
        use TokenKind::{Comment, InnerDoc, OuterDoc};
        matches!(self.kind, Comment | OuterDoc | InnerDoc)
    }

    /// Whether it is this word or this mark.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Mark) && self.text == text
    }

    /// The line of its last character.
    pub(crate) fn line_last(&self) -> usize {
        self.line + self.text.matches('\n').count()
    }

    /// What a comment says, without its slashes, stars and one leading blank.
    pub(crate) fn comment_text(&self) -> &str {
        let body = self.text.trim_start_matches('/').trim_end_matches("*/");
        let body = body.trim_start_matches('*');
        let body = body.strip_prefix('!').unwrap_or(body);
        body.strip_prefix(' ').unwrap_or(body).trim_end()
    }
}

/// Cuts a whole file.
pub(crate) fn tokens(text: &str) -> anyhow::Result<Vec<Token>> {
    let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new() };
    if text.starts_with("#!") && !text.starts_with("#![") {
        lexer.skip(text.find('\n').unwrap_or(text.len()));
    }
    while !lexer.rest.is_empty() {
        lexer.step()?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn step(&mut self) -> anyhow::Result<()> {
        let blank = self.rest.len() - self.rest.trim_start().len();
        if blank > 0 {
            self.skip(blank);
            return Ok(());
        }
        if let Some(prefix) = string_prefix(self.rest) {
            let size = self.quoted_size(prefix)?;
            self.take(TokenKind::Quoted, size);
        } else if self.rest.starts_with("//") {
            let size = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take(line_comment_kind(self.rest), size);
        } else if self.rest.starts_with("/*") {
            let size = self.block_comment_size()?;
            self.take(block_comment_kind(self.rest), size);
        } else if self.rest.starts_with('\'') {
            self.take_tick()?;
        } else if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            self.take(TokenKind::Number, number_size(self.rest));
        } else if self.rest.starts_with(is_word_start) {
            self.take_word();
        } else {
            let size = self.rest.chars().next().map_or(1, char::len_utf8);
            self.take(TokenKind::Mark, size);
        }
        Ok(())
    }

    fn take_word(&mut self) {
        let raw = self.rest.strip_prefix("r#").filter(|r| r.starts_with(is_word_start));
        if raw.is_some() {
            self.skip("r#".len());
        }
        self.take(TokenKind::Word, word_size(self.rest));
    }

    /// A lifetime or a character: `'a` has no closing tick after one character, `'a'` has.
    fn take_tick(&mut self) -> anyhow::Result<()> {
        let mut chars = self.rest[1..].chars();
        let first = chars.next();
        let is_lifetime = first.is_some_and(is_word_start) && chars.next() != Some('\'');
        if is_lifetime {
            let size = 1 + word_size(&self.rest[1..]);
            self.take(TokenKind::Lifetime, size);
        } else {
            let size = self.closing(1, '\'')?;
            self.take(TokenKind::Quoted, size);
        }
        Ok(())
    }

    fn quoted_size(&self, prefix: usize) -> anyhow::Result<usize> {
        let start = &self.rest[..prefix];
        if start.ends_with('\'') {
            return self.closing(prefix, '\'');
        }
        if !start.contains('r') {
            return self.closing(prefix, '"');
        }
        let end = format!("\"{}", "#".repeat(start.matches('#').count()));
        match self.rest[prefix..].find(&end) {
            Some(at) => Ok(prefix + at + end.len()),
            None => bail!("line {}: a raw string without an end", self.line),
        }
    }

    /// The size up to and including the closing quote, backslash escapes skipped.
    fn closing(&self, from: usize, quote: char) -> anyhow::Result<usize> {
        let mut escaped = false;
        for (at, c) in self.rest[from..].char_indices() {
            if c == quote && !escaped {
                return Ok(from + at + c.len_utf8());
            }
            escaped = c == '\\' && !escaped;
        }
        bail!("line {}: a quote without an end", self.line)
    }

    fn block_comment_size(&self) -> anyhow::Result<usize> {
        let bytes = self.rest.as_bytes();
        let (mut at, mut depth) = (0, 0);
        while at + 1 < bytes.len() {
            match &bytes[at..at + 2] {
                b"/*" => (at, depth) = (at + 2, depth + 1),
                b"*/" => (at, depth) = (at + 2, depth - 1),
                _ => at += 1,
            }
            if depth == 0 {
                return Ok(at);
            }
        }
        bail!("line {}: a comment without an end", self.line)
    }

    fn take(&mut self, kind: TokenKind, size: usize) {
        let text = self.rest[..size].to_owned();
        self.tokens.push(Token { kind, text, line: self.line });
        self.skip(size);
    }

    fn skip(&mut self, size: usize) {
        self.line += self.rest[..size].matches('\n').count();
        self.rest = &self.rest[size..];
    }
}

/// The size of what opens a string here (`"`, `r#"`, `br"`, `b'`), if one does.
fn string_prefix(rest: &str) -> Option<usize> {
    let letters = ["br", "cr", "b", "c", "r", ""].into_iter().find(|l| rest.starts_with(l))?;
    let after = &rest[letters.len()..];
    if after.starts_with('"') || (letters == "b" && after.starts_with('\'')) {
        return Some(letters.len() + 1);
    }
    let marks = after.len() - after.trim_start_matches('#').len();
    let raw = letters.contains('r') && marks > 0 && after[marks..].starts_with('"');
    raw.then(|| letters.len() + marks + 1)
}

fn line_comment_kind(rest: &str) -> TokenKind {
    if rest.starts_with("//!") {
        TokenKind::InnerDoc
    } else if rest.starts_with("///") && !rest.starts_with("////") {
        TokenKind::OuterDoc
    } else {
        TokenKind::Comment
    }
}

fn block_comment_kind(rest: &str) -> TokenKind {
    if rest.starts_with("/*!") {
        TokenKind::InnerDoc
    } else if rest.starts_with("/**") && !rest.starts_with("/***") && !rest.starts_with("/**/") {
        TokenKind::OuterDoc
    } else {
        TokenKind::Comment
    }
}

fn is_word_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn word_size(rest: &str) -> usize {
    rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len())
}

/// Digits, suffix, and a fraction if a digit follows the point, so that `0..5` is three tokens.
fn number_size(rest: &str) -> usize {
    let whole = word_size(rest);
    let fraction = rest[whole..].strip_prefix('.').unwrap_or("");
    if fraction.starts_with(|c: char| c.is_ascii_digit()) {
        whole + 1 + word_size(fraction)
    } else {
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        tokens(source).expect("a sound source").into_iter().map(|t| t.text).collect()
    }

    #[test]
    fn strings_hide_what_looks_like_code() {
        assert_eq!(texts(r##"a("x // \" y", r#"f64 " "#, b'\'', 'c')"##).len(), 10);
        assert_eq!(texts("b\"x\" c\"y\" br\"z\""), ["b\"x\"", "c\"y\"", "br\"z\""]);
    }

    #[test]
    fn lifetimes_are_no_characters() {
        let kinds: Vec<_> =
            tokens("<'a> 'b' 'static '\\n' '_").expect("sound").iter().map(|t| t.kind).collect();
        use TokenKind::{Lifetime, Mark, Quoted};
        assert_eq!(kinds, [Mark, Lifetime, Mark, Quoted, Lifetime, Quoted, Lifetime]);
    }

    #[test]
    fn numbers_keep_suffixes_and_leave_ranges_alone() {
        assert_eq!(
            texts("1.5f64 0..5 x.0 2f32 0xff_u8 1_000"),
            ["1.5f64", "0", ".", ".", "5", "x", ".", "0", "2f32", "0xff_u8", "1_000"]
        );
    }

    #[test]
    fn comments_nest_and_know_their_kind_and_line() {
        let found = tokens("//! a\n/* b /* c */\n d */ /// e\nf //// g").expect("sound");
        use TokenKind::{Comment, InnerDoc, OuterDoc, Word};
        let kinds: Vec<_> = found.iter().map(|t| (t.kind, t.line)).collect();
        assert_eq!(kinds, [(InnerDoc, 1), (Comment, 2), (OuterDoc, 3), (Word, 4), (Comment, 4)]);
        assert_eq!(found[0].comment_text(), "a");
        assert_eq!(found[1].line_last(), 3);
    }

    #[test]
    fn raw_identifiers_lose_their_mark() {
        assert_eq!(texts("r#type r #x"), ["type", "r", "#", "x"]);
    }

    #[test]
    fn what_has_no_end_is_an_error() {
        for source in ["\"abc", "r#\"abc\"", "/* /* */", "'("] {
            assert!(tokens(source).is_err(), "{source} was read");
        }
    }
}
