//! Finds items (functions, modules, constants, types) in a list of tokens.
//!
//! One pass forward: documentation and attributes wait until an item's keyword takes them, or until
//! a brace, a semicolon or a comma ends what they stood before. So items are found at every depth,
//! in macro calls too. It deliberately does not nest them; a span inside another span is an inner
//! item. Known limit: a braced constant in a signature (`Foo<{ N }>`) reads as the body.

use std::ops::Range;

use super::lexer::{Token, TokenKind};

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its keyword: `fn`, `mod`, `const`, `static`, `struct`, `enum`, `use`, …
    pub(crate) keyword: String,
    /// Its name; empty for `impl`, `use` and `extern`.
    pub(crate) name: String,
    /// The line of its keyword, from 1.
    pub(crate) line: usize,
    /// Its outer attributes without white space and brackets: `test`, `cfg(test)`.
    pub(crate) attributes: Vec<String>,
    /// Its documentation: line and text of each line comment.
    pub(crate) docs: Vec<(usize, String)>,
    /// Its tokens, from the first attribute to the end of its body.
    pub(crate) span: Range<usize>,
    /// The tokens between the braces of its body; empty if it ends with a semicolon.
    pub(crate) body: Range<usize>,
}

impl Item {
    /// Whether it is a test function, of whatever harness (`#[test]`, `#[tokio::test]`).
    pub(crate) fn is_test(&self) -> bool {
        let names_test = |a: &String| {
            let path = a.split('(').next().unwrap_or(a);
            path.rsplit("::").next() == Some("test")
        };
        self.keyword == "fn" && self.attributes.iter().any(names_test)
    }

    /// Whether it is compiled for tests only.
    pub(crate) fn is_test_only(&self) -> bool {
        let gate = |a: &String| a == "cfg(test)" || a.starts_with("cfg(all(test");
        self.is_test() || self.attributes.iter().any(gate)
    }

    /// Whether it ends without a body, as `mod name;` does.
    pub(crate) fn has_no_body(&self) -> bool {
        self.body.is_empty() && self.body.start == self.span.end
    }

    /// The value of an attribute of the form `path = "…"`, without its quotes.
    pub(crate) fn attribute_value(&self, name: &str) -> Option<&str> {
        let value = |a: &'_ String| -> Option<usize> {
            a.strip_prefix(name)?.strip_prefix('=').map(|_| name.len() + 1)
        };
        let found = self.attributes.iter().find(|a| value(a).is_some())?;
        Some(found[name.len() + 1..].trim_matches('"'))
    }
}

/// All items, in file order.
pub(crate) fn items(tokens: &[Token]) -> Vec<Item> {
    let mut found = Vec::new();
    let mut waiting = Waiting::default();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if token.kind == TokenKind::OuterDoc {
            waiting.note(at);
            waiting.docs.push((token.line, token.comment_text().to_owned()));
        } else if let Some(end) = attribute_end(tokens, at) {
            waiting.note(at);
            waiting.attributes.push(joined(&tokens[at + 2..end]));
            at = end;
        } else if ["{", "}", ";", ","].iter().any(|m| token.is(m)) {
            waiting = Waiting::default();
        } else if let Some(name) = item_name(tokens, at) {
            found.push(std::mem::take(&mut waiting).item(tokens, at, name));
        }
        at += 1;
    }
    found
}

/// The inner attributes of a file (`#![…]`) without white space and brackets.
pub(crate) fn inner_attributes(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    let code: Vec<Token> = tokens.iter().filter(|t| !t.is_comment()).cloned().collect();
    for at in 0..code.len().saturating_sub(2) {
        if code[at].is("#") && code[at + 1].is("!") && code[at + 2].is("[") {
            let end = group_end(&code, at + 2);
            found.push(joined(&code[at + 3..end]));
        }
    }
    found
}

/// The index of the mark that closes the bracket at `open`, or the end of the file.
pub(crate) fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|m| token.is(m)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|m| token.is(m)) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at;
            }
        }
    }
    tokens.len()
}

/// Documentation and attributes that no item has taken yet.
#[derive(Default)]
struct Waiting {
    start: Option<usize>,
    attributes: Vec<String>,
    docs: Vec<(usize, String)>,
}

impl Waiting {
    fn note(&mut self, at: usize) {
        self.start.get_or_insert(at);
    }

    fn item(self, tokens: &[Token], at: usize, name: String) -> Item {
        let (body, end) = body_and_end(tokens, at);
        Item {
            keyword: tokens[at].text.clone(),
            name,
            line: tokens[at].line,
            attributes: self.attributes,
            docs: self.docs,
            span: self.start.unwrap_or(at)..end,
            body,
        }
    }
}

fn attribute_end(tokens: &[Token], at: usize) -> Option<usize> {
    let opens = tokens[at].is("#") && tokens.get(at + 1)?.is("[");
    opens.then(|| group_end(tokens, at + 1).min(tokens.len() - 1))
}

/// The name of the item whose keyword stands here; `None` where none begins.
fn item_name(tokens: &[Token], at: usize) -> Option<String> {
    let token = &tokens[at];
    if token.kind != TokenKind::Word || !KEYWORDS.contains(&token.text.as_str()) {
        return None;
    }
    let after_mark = at > 0 && ["*", ".", "$", "&"].iter().any(|m| tokens[at - 1].is(m));
    if after_mark {
        return None;
    }
    let mut next = tokens[at + 1..].iter().filter(|t| !t.is_comment());
    let first = next.next()?;
    match token.text.as_str() {
        "impl" | "use" => Some(String::new()),
        "extern" => first.is("crate").then(String::new),
        "macro_rules" => next.next().filter(|_| first.is("!")).map(|t| t.text.clone()),
        "static" if first.is("mut") => next.next().map(|t| t.text.clone()),
        "const" if ["fn", "unsafe", "extern", "async"].iter().any(|w| first.is(w)) => None,
        _ => (first.kind == TokenKind::Word).then(|| first.text.clone()),
    }
}

/// The tokens inside the braces, and the index behind the whole item.
fn body_and_end(tokens: &[Token], at: usize) -> (Range<usize>, usize) {
    let mut here = at;
    while here < tokens.len() {
        let token = &tokens[here];
        if token.is(";") || token.is("}") {
            return (here..here, here);
        }
        if token.is("{") {
            let end = group_end(tokens, here);
            return (here + 1..end, (end + 1).min(tokens.len()));
        }
        let opens = token.is("(") || token.is("[");
        here = if opens { group_end(tokens, here) + 1 } else { here + 1 };
    }
    (here..here, here)
}

fn joined(tokens: &[Token]) -> String {
    tokens.iter().filter(|t| !t.is_comment()).map(|t| t.text.as_str()).collect()
}

const KEYWORDS: [&str; 13] = [
    "fn",
    "mod",
    "const",
    "static",
    "struct",
    "enum",
    "union",
    "trait",
    "type",
    "impl",
    "use",
    "extern",
    "macro_rules",
];

#[cfg(test)]
mod tests {
    use super::super::lexer;
    use super::*;

    fn found(source: &str) -> Vec<Item> {
        items(&lexer::tokens(source).expect("a sound source"))
    }

    #[test]
    fn a_function_has_its_docs_attributes_and_body() {
        let items = found("/// One.\n#[test]\n#[expect(a::b, reason = \"c\")]\npub fn go() { x; }");
        assert_eq!(items.len(), 1);
        let go = &items[0];
        assert_eq!((go.name.as_str(), go.line), ("go", 4));
        assert_eq!(go.attributes, ["test", "expect(a::b,reason=\"c\")"]);
        assert_eq!(go.docs, [(1, "One.".to_owned())]);
        assert_eq!(go.body.len(), 2);
        assert!(go.is_test() && go.is_test_only());
    }

    #[test]
    fn tests_inside_macros_and_of_other_harnesses_are_found() {
        let items =
            found("proptest! { #[test] fn a(x in 0..5u8) { } }\n#[tokio::test(x)] fn b() {}");
        let tests: Vec<_> = items.iter().filter(|i| i.is_test()).map(|i| &*i.name).collect();
        assert_eq!(tests, ["a", "b"]);
        assert!(!found("#[cfg(test)] fn c() {}")[0].is_test());
    }

    #[test]
    fn function_pointers_and_raw_pointers_are_no_items() {
        assert!(found("let f: fn(u8) -> u8 = x as *const u8;").is_empty());
    }

    #[test]
    fn docs_of_fields_do_not_reach_the_next_item() {
        let items = found("struct A { /// field\n a: u8 }\nfn b() {}");
        assert!(items[1].docs.is_empty());
    }

    #[test]
    fn modules_with_and_without_body() {
        let items = found("#[cfg(test)] mod a; #[path = \"c.rs\"] mod b; mod d { mod e; }");
        assert!(items[0].has_no_body() && items[0].is_test_only());
        assert_eq!(items[1].attribute_value("path"), Some("c.rs"));
        assert!(!items[2].has_no_body() && items[3].has_no_body());
    }

    #[test]
    fn inner_attributes_lose_their_white_space() {
        let tokens = lexer::tokens("//! a\n#![deny(a::b,\n  c)]\nfn d() {}").expect("sound");
        assert_eq!(inner_attributes(&tokens), ["deny(a::b,c)"]);
    }
}
