//! Who applies events is told of every entity that they change, or its digest would go stale (D-80).

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Entity, Kernel, Watch};
use schema::GroupIter;

/// Collects what it is told.
#[derive(Debug, Default)]
struct Told(BTreeSet<Entity>);

impl Watch for Told {
    fn touched(&mut self, entity: Entity) {
        self.0.insert(entity);
    }
}

type Encodings = BTreeMap<Entity, Vec<u8>>;

fn encodings<W: Watch>(kernel: &Kernel<W>) -> Encodings {
    let encode = |entity| {
        let mut bytes = Vec::new();
        assert!(kernel.encode_entity(entity, &mut bytes), "a listed entity is there");
        (entity, bytes)
    };
    kernel.entities().map(encode).collect()
}

/// Applies the groups to a kernel that was saved and holds what changed to what was told.
pub(crate) fn check_told(saved: &[u8], groups: &[u8]) {
    let mut kernel = Kernel::load_watched(saved, Told::default()).expect("what was saved");
    kernel.watch_mut().0.clear();
    let before = encodings(&kernel);
    for group in GroupIter::new(groups) {
        kernel.apply_group(&group.expect("a group")).expect("its events apply");
    }
    let after = encodings(&kernel);
    for entity in before.keys().chain(after.keys()) {
        let same = before.get(entity) == after.get(entity);
        assert!(
            same || kernel.watch().0.contains(entity),
            "{entity:?} changed and nobody was told"
        );
    }
}
