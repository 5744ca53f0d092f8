//! A life, for people and for programs.

use std::io::Write;

use serde_json::{Value, json};

use super::life::{Life, Step};
use super::moment::Moment;
use crate::log::shown;

/// One JSON object.
///
/// # Errors
/// The output is closed.
pub(super) fn json(out: &mut impl Write, life: &Life) -> anyhow::Result<()> {
    let steps: Vec<Value> = life.steps.iter().map(step).collect::<anyhow::Result<_>>()?;
    let told = json!({
        "order_id": life.order.to_string(),
        "account": life.account,
        "steps": steps,
    });
    writeln!(out, "{told:#}")?;
    Ok(())
}

fn step(step: &Step) -> anyhow::Result<Value> {
    let rules: Vec<Value> =
        step.rules.iter().map(|rule| json!({"id": rule.id, "says": rule.says})).collect();
    let moment = step.moment.as_ref().map(|moment| {
        let figures: Vec<Value> = moment
            .figures
            .iter()
            .map(|it| {
                let event = it.event.map(|id| id.to_string());
                json!({"name": it.name, "value": it.value, "event_id": event})
            })
            .collect();
        json!({"behind_event": moment.behind, "figures": figures})
    });
    Ok(json!({
        "event": serde_json::to_value(&step.event.object)?,
        "command_sequence": step.command,
        "rules": rules,
        "failed_check": step.failed.map(|(number, name)| json!({"step": number, "name": name})),
        "moment": moment,
    }))
}

/// Each event with the rules below it.
///
/// # Errors
/// The output is closed.
pub(super) fn text(out: &mut impl Write, life: &Life) -> anyhow::Result<()> {
    writeln!(out, "order {} of {}", life.order, life.account)?;
    let mut command = 0;
    for step in &life.steps {
        if step.command != command {
            command = step.command;
            writeln!(out, "\ncommand {command}, at {}", step.event.head.timestamp)?;
        }
        let (sequence, kind) = (step.event.head.sequence, step.event.kind.name());
        writeln!(out, "{sequence:>8}  {kind}{}", shown(&step.event.payload))?;
        for rule in &step.rules {
            writeln!(out, "          {:9} {}", rule.id, rule.says)?;
        }
        if let Some((number, name)) = step.failed {
            writeln!(out, "          check {number} of LIFE-8 failed: {name}")?;
        }
        if let Some(moment) = &step.moment {
            figures(out, moment)?;
        }
    }
    Ok(())
}

fn figures(out: &mut impl Write, moment: &Moment) -> anyhow::Result<()> {
    writeln!(out, "          as it was behind event {}:", moment.behind)?;
    for figure in &moment.figures {
        let event = figure.event.map_or_else(|| "-".to_owned(), |id| id.to_string());
        writeln!(out, "          {:26}{:>40}  event {event}", figure.name, figure.value)?;
    }
    Ok(())
}
