//! How figures are shown: a table for a person, a list for a program.
//!
//! Owns both forms. The JSON form is one array of objects with `name`, `value`, `unit`, `target` and
//! `met`; the last two are `null` where nothing is promised. It deliberately writes JSON by hand: five
//! fields, and no name in the table needs escaping (a test of the table holds that).

use crate::measure::Figure;
use crate::row::{Row, Target};

/// The table's first lines.
pub(crate) fn header(machine: &str) -> String {
    format!(
        "{machine}\n{:<32} {:>14} {:<12} {:>29} {:>14}",
        "row", "median", "unit", "min..max", "target"
    )
}

/// A row of the table.
pub(crate) fn line(row: &Row, figure: Figure) -> String {
    let spread = format!("{}..{}", grouped(figure.min), grouped(figure.max));
    let (name, unit, median) = (row.name, row.unit, grouped(figure.median));
    format!(
        "{name:<32} {median:>14} {unit:<12} {spread:>29} {}",
        verdict(row.target, figure.median)
    )
}

/// All rows as JSON.
pub(crate) fn json(results: &[(Row, Figure)]) -> String {
    let objects: Vec<String> = results.iter().map(|(row, figure)| object(row, *figure)).collect();
    format!("[\n{}\n]", objects.join(",\n"))
}

fn object(row: &Row, figure: Figure) -> String {
    let target = row.target.bound().map_or("null".to_owned(), |bound| bound.to_string());
    let met = row.target.met(figure.median).map_or("null".to_owned(), |met| met.to_string());
    let (name, value, unit) = (row.name, figure.median, row.unit);
    format!(
        r#"  {{"name":"{name}","value":{value},"unit":"{unit}","target":{target},"met":{met}}}"#
    )
}

fn verdict(target: Target, value: f64) -> String {
    let bound = match target {
        Target::AtLeast(bound) => format!(">= {}", grouped(bound)),
        Target::AtMost(bound) => format!("<= {}", grouped(bound)),
        Target::None => return format!("{:>14}", "none"),
    };
    let word = if target.met(value) == Some(true) { "met" } else { "MISSED" };
    format!("{bound:>14} {word}")
}

/// A number with `_` between thousands; two places after the point below 100.
fn grouped(value: f64) -> String {
    if value.abs() < 100.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURE: Figure = Figure { median: 1_234_567.0, min: 999.0, max: 2_000_000.0 };

    fn row(target: Target) -> Row {
        Row { name: "part.figure", unit: "1/s", target, measure: || FIGURE }
    }

    #[test]
    fn a_line_says_met_or_missed() {
        assert!(line(&row(Target::AtLeast(1e6)), FIGURE).ends_with(">= 1_000_000 met"));
        assert!(line(&row(Target::AtMost(1e6)), FIGURE).ends_with("<= 1_000_000 MISSED"));
        assert!(line(&row(Target::None), FIGURE).ends_with("none"));
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let numbers = [0.0, 12.5, 999.0, 1_000.0, 999_999.5, 25_000_000.0, -1_000.0, -100.0];
        let texts = ["0", "12.50", "999", "1_000", "1_000_000", "25_000_000", "-1_000", "-100"];
        assert_eq!(numbers.map(grouped), texts);
    }

    #[test]
    fn the_json_has_the_five_fields() {
        let results = [(row(Target::AtLeast(2e6)), FIGURE), (row(Target::None), FIGURE)];
        let expected = r#"[
  {"name":"part.figure","value":1234567,"unit":"1/s","target":2000000,"met":false},
  {"name":"part.figure","value":1234567,"unit":"1/s","target":null,"met":null}
]"#;
        assert_eq!(json(&results), expected);
    }
}
