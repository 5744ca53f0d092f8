//! What differs: the first event, and the fields of two states.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kernel::{Entity, Kernel, Watch};
use serde_json::{Map, Value, json};

use crate::render::Renderer;
use crate::state::{describe, name_of, one_group};

/// The first event that differs, as each side has it.
pub(super) struct FirstEvent {
    pub(super) sequence: u64,
    /// Null where a log ends.
    pub(super) shown: [Value; 2],
}

/// The first event that differs in the groups of the first command that does.
///
/// # Errors
/// A group cannot follow.
pub(super) fn first_event(
    renderer: &Renderer,
    groups: [Option<&[u8]>; 2],
) -> anyhow::Result<FirstEvent> {
    let (mut events, mut objects) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for (side, bytes) in groups.into_iter().enumerate() {
        let Some(bytes) = bytes else { continue };
        let group = one_group(bytes)?;
        for event in group.events() {
            events[side].push(event?);
        }
        for rendered in renderer.clone().render(&group)? {
            objects[side].push(serde_json::to_value(&rendered.object)?);
        }
    }
    let [one, other] = &events;
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let first = one.first().or(other.first()).map_or(0, |(head, _)| head.sequence);
    let shown = objects.map(
        |mut side| {
            if same < side.len() { side.swap_remove(same) } else { Value::Null }
        },
    );
    Ok(FirstEvent { sequence: first + same as u64, shown })
}

/// A field that differs; null where the entity, or the field, is not there.
#[derive(Debug)]
pub(crate) struct Field {
    entity: String,
    name: String,
    values: [Value; 2],
}

impl Field {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({"entity": self.entity, "field": self.name, "values": self.values})
    }

    /// For people, on one line.
    pub(crate) fn line(&self) -> String {
        let [one, other] = &self.values;
        format!("{}, {}: {one} here, {other} there", self.entity, self.name)
    }
}

/// Every field in which two states differ, entities that are missing on a side included.
pub(crate) fn differences<W: Watch, V: Watch>(one: &Kernel<W>, other: &Kernel<V>) -> Vec<Field> {
    let all: BTreeSet<Entity> = one.entities().chain(other.entities()).collect();
    let mut fields = Vec::new();
    let mut bytes = [Vec::new(), Vec::new()];
    for entity in all {
        bytes.iter_mut().for_each(Vec::clear);
        one.encode_entity(entity, &mut bytes[0]);
        other.encode_entity(entity, &mut bytes[1]);
        if bytes[0] == bytes[1] {
            continue;
        }
        let described = [describe(one, entity), describe(other, entity)];
        let is_here = described[0].is_some();
        let name = if is_here { name_of(one, entity) } else { name_of(other, entity) };
        fields.extend(of_entity(&name, &described));
    }
    fields
}

/// The fields of an entity that differ. The encoding is told only where no field with a name does.
fn of_entity(entity: &str, described: &[Option<Map<String, Value>>; 2]) -> Vec<Field> {
    let value = |side: usize, name: &str| {
        let fields = described[side].as_ref();
        fields.and_then(|it| it.get(name)).cloned().unwrap_or(Value::Null)
    };
    let names: BTreeSet<&String> = described.iter().flatten().flat_map(Map::keys).collect();
    let mut fields: Vec<Field> = names
        .into_iter()
        .map(|name| Field {
            entity: entity.to_owned(),
            name: name.clone(),
            values: [value(0, name), value(1, name)],
        })
        .filter(|field| field.values[0] != field.values[1])
        .collect();
    if fields.len() > 1 {
        fields.retain(|field| field.name != "encoding");
    }
    fields
}

/// For people.
pub(super) fn text(equal: u64, compared: u32, event: &FirstEvent, fields: &[Field]) -> String {
    let mut out = format!("equal until event {equal}; {compared} states compared\n");
    let _ = writeln!(out, "the first event that differs is {}", event.sequence);
    for (sign, shown) in ['<', '>'].into_iter().zip(&event.shown) {
        let _ = match shown {
            Value::Null => writeln!(out, "{sign} the log ends"),
            shown => writeln!(out, "{sign} {shown}"),
        };
    }
    let _ = writeln!(out, "\nthe states behind its command differ in");
    for Field { entity, name, values } in fields {
        let _ = writeln!(out, "{entity}, {name}\n< {}\n> {}", values[0], values[1]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(pairs: &[(&str, &str)]) -> Option<Map<String, Value>> {
        Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect())
    }

    /// Each differing field with both its values; all fields of what one side lacks.
    #[test]
    fn fields_that_differ_are_told() {
        let one = entity(&[("status", "OPEN"), ("price", "1"), ("encoding", "00")]);
        let other = entity(&[("status", "OPEN"), ("price", "2"), ("encoding", "01")]);
        let told = |described: [Option<Map<String, Value>>; 2]| -> Vec<String> {
            let fields = of_entity("order", &described);
            fields
                .iter()
                .map(|it| format!("{} {} {}", it.name, it.values[0], it.values[1]))
                .collect()
        };
        assert_eq!(told([one.clone(), other]), [r#"price "1" "2""#]);
        assert_eq!(told([one.clone(), None]), [r#"price "1" null"#, r#"status "OPEN" null"#]);
        // What no field shows by name shows as bytes.
        let hidden = entity(&[("status", "OPEN"), ("price", "1"), ("encoding", "02")]);
        assert_eq!(told([one, hidden]), [r#"encoding "00" "02""#]);
    }
}
