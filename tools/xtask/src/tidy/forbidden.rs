//! What may not stand in the project's files: unfinished code, tests that do not run, code in
//! comments, paths of one machine.
//!
//! Code in comments is guessed from its shape (a statement with its semicolon, the head of a block
//! with its brace); documentation comments are left alone, since examples live there.

use crate::finding::Finding;
use crate::project::Project;
use crate::rust::Source;
use crate::rust::lexer::{Token, TokenKind};
use crate::tree;

/// Checks every text file.
pub(crate) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in project.tree.texts() {
        findings.extend(machine_paths(path, text));
        match project.sources.get(path) {
            Some(source) => findings.extend(rust_faults(source)),
            None if tree::ending(path) != "md" => findings.extend(marks(path, text)),
            None => {}
        }
    }
    findings
}

fn machine_paths(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.lines().enumerate();
    let hits = lines.filter(|(_, line)| MACHINE_PATHS.iter().any(|p| line.contains(p)));
    hits.map(|(index, _)| Finding::new(path, index + 1, "a path of one machine")).collect()
}

/// Marks of unfinished work in files that are neither Rust nor prose.
fn marks(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.lines().enumerate();
    let fault = |(index, line)| mark_fault(line).map(|f| Finding::new(path, index + 1, f));
    lines.filter_map(fault).collect()
}

fn rust_faults(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line: usize, text: &str| findings.push(Finding::new(&source.path, line, text));
    for token in source.tokens.iter().filter(|t| t.is_comment()) {
        for (offset, line) in token.comment_text().lines().enumerate() {
            if let Some(fault) = mark_fault(line) {
                find(token.line + offset, fault);
            }
            if token.kind == TokenKind::Comment && is_code(line) {
                find(token.line + offset, "code in a comment; delete it, git remembers it");
            }
        }
    }
    let code: Vec<&Token> = source.code().map(|(_, token)| token).collect();
    for pair in code.windows(2).filter(|pair| pair[1].is("!")) {
        if UNFINISHED.iter().any(|word| pair[0].is(word)) {
            find(pair[0].line, &format!("`{}!` is unfinished work", pair[0].text));
        }
    }
    for item in source.items.iter().filter(|i| i.attributes.iter().any(is_ignore)) {
        find(item.line, "`#[ignore]`: a test that does not run tests nothing");
    }
    findings
}

/// Work that is put off without saying what it waits for.
fn mark_fault(line: &str) -> Option<&'static str> {
    let words = || line.split(|c: char| !c.is_alphanumeric() && c != '(');
    if words().any(|w| w == PUT_OFF[0] || w.starts_with(&format!("{}(", PUT_OFF[0]))) {
        return Some("a fault that is known is mended or is an issue");
    }
    words().any(|w| w == PUT_OFF[1]).then_some("say what it waits for, in brackets, or do it")
}

fn is_ignore(attribute: &String) -> bool {
    let is_one = attribute == "ignore" || attribute.starts_with("ignore=");
    is_one || attribute.starts_with("cfg_attr(") && attribute.contains(",ignore")
}

/// Whether a comment line has the shape of code.
fn is_code(line: &str) -> bool {
    let line = line.trim();
    let starts = |words: &[&str]| words.iter().any(|w| line.starts_with(w));
    if ["}", "};", "});", "},", "})"].contains(&line) || line.starts_with("#[") {
        return true;
    }
    let Some(statement) = line.strip_suffix(';') else {
        return line.ends_with('{') && starts(&BLOCKS);
    };
    let name_size = statement.find([' ', '(']).unwrap_or(0);
    let calls =
        name_size > 0 && statement[name_size..].starts_with('(') && statement.ends_with(')');
    let words: Vec<&str> = statement.split_whitespace().collect();
    let operator = words.get(1).copied().unwrap_or("");
    let is_place = words.first().is_some_and(|w| w.contains(['.', '[', '*']));
    let assigns = ASSIGNS.contains(&operator) || operator == "=" && is_place;
    let returns = words.first() == Some(&"return") && words.len() == 2;
    let declares = starts(&DECLARATIONS) && (statement.contains(" = ") || statement.contains("::"));
    calls || assigns || declares || returns || starts(&["pub "])
}

const MACHINE_PATHS: [&str; 3] =
    [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "tmp/bash")];
const UNFINISHED: [&str; 3] = ["todo", "dbg", "unimplemented"];
const PUT_OFF: [&str; 2] = [concat!("FIX", "ME"), concat!("TO", "DO")];
const ASSIGNS: [&str; 4] = ["+=", "-=", "*=", "|="];
const DECLARATIONS: [&str; 4] = ["let ", "use ", "const ", "static "];
const BLOCKS: [&str; 12] = [
    "if ", "for ", "while ", "loop ", "match ", "fn ", "pub ", "impl ", "struct ", "enum ",
    "} else", "mod ",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        rust_faults(&Source::read("a.rs", text).expect("a sound source")).len()
    }

    #[test]
    fn unfinished_work_is_found() {
        assert_eq!(count("fn a() { todo!() }"), 1);
        assert_eq!(count("fn a() { b(dbg!(c)); unimplemented!(\"d\") }"), 2);
        assert_eq!(count("/// `todo!()`\nfn a() { b(\"todo!()\", todo); }"), 0);
    }

    #[test]
    fn work_that_is_put_off_is_found() {
        for mark in [concat!("FIX", "ME: a"), concat!("FIX", "ME(b): a"), concat!("TO", "DO: a")] {
            assert_eq!(count(&format!("// {mark}\n")), 1, "{mark} passed");
            assert_eq!(count(&format!("/// {mark}\nfn a() {{}}")), 1, "{mark} passed");
            assert_eq!(marks("a.sh", &format!("# {mark}\n")).len(), 1, "{mark} passed");
        }
        assert_eq!(count(concat!("// TO", "DO(second storey): a\n")), 0);
    }

    #[test]
    fn tests_that_do_not_run_are_found() {
        assert_eq!(count("#[test]\n#[ignore]\nfn a() {}"), 1);
        assert_eq!(count("#[test]\n#[ignore = \"slow\"]\nfn a() {}"), 1);
        assert_eq!(count("#[cfg_attr(miri, ignore)]\n#[test]\nfn a() {}"), 1);
        assert_eq!(count("#[test]\nfn ignore() {}"), 0);
    }

    #[test]
    fn code_in_comments_is_found() {
        for line in [
            "let a = b;",
            "self.levels.remove(price);",
            "book.check(a);",
            "total += fee;",
            "self.best = price;",
            "println!(\"x\");",
            "if a < b {",
            "} else {",
            "#[test]",
            "});",
            "release(hold);",
            "use units::Ticks;",
            "return None;",
        ] {
            assert_eq!(count(&format!("fn a() {{\n// {line}\n}}")), 1, "{line} passed");
        }
    }

    #[test]
    fn sentences_are_no_code() {
        for line in [
            "The fee rounds up (D-7);",
            "if the account has nothing left, the order ends here;",
            "a price = ticks × tick",
            "use the ladder first, then the tail;",
            "let the caller decide;",
            "return the hold to its account (D-15);",
            "assertions stay on;",
            "total = available + locked;",
            "e.g. the maker of a trade (D-7);",
            "see `Book::check`; it has the rule",
            "rounds towards zero: never more than was held (D-7);",
            "---- tests ----",
        ] {
            assert_eq!(count(&format!("// {line}\n")), 0, "{line} was found");
        }
        assert_eq!(count("/// let a = b;\nfn a() {}"), 0);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for path in MACHINE_PATHS {
            assert_eq!(machine_paths("a.md", &format!("see {path}x\n")).len(), 1);
        }
        assert!(machine_paths("a.md", "see docs/work and ~/data\n").is_empty());
    }
}
