//! Answers rebuilt from events are those that the callers got.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::{Entity, KeptKey};
use port::Query;
use schema::{Command, GroupIter, Outcome, Reply};
use units::Side;

use super::mix::Mix;
use crate::answer::answer_of;
use crate::testing::{Disks, ask, clock, deposit, keyed, open_venue, place, submit};
use crate::view::{Changes, View};

/// For every command of a mix that made an event, of every kind and outcome.
#[test]
fn events_tell_what_the_caller_was_told() {
    let disks = Disks::new(20);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let mut mix = Mix::new(20, open_venue(&port, 5));
    let (mut replies, mut outcomes) = (BTreeMap::new(), BTreeMap::<&str, u32>::new());
    for _ in 0..4_000 {
        let request = mix.next();
        let reply = submit(&port, request.clone());
        mix.learn(&request, &reply);
        *outcomes.entry(name(&reply)).or_default() += 1;
        let first = replies.entry(reply.command).or_insert(reply);
        assert_eq!(*first, reply, "a repeat is answered as the first time");
    }
    let _ = engine.stop();
    let mut checked = 0;
    for block in disks.stored_blocks() {
        for group in GroupIter::new(block.payload()) {
            let group = group.expect("sound");
            if let Some(reply) = replies.get(&group.head.command_sequence) {
                assert_eq!(answer_of(&group, 3), Ok(*reply));
                checked += 1;
            }
        }
    }
    assert_eq!(checked, replies.len(), "every command of the mix made an event");
    assert!(outcomes.len() == 4 && outcomes.values().all(|&count| count > 50), "{outcomes:?}");
}

fn name(reply: &Reply) -> &'static str {
    match reply.outcome {
        Outcome::Done { .. } => "done",
        Outcome::Accepted { .. } => "accepted",
        Outcome::Rejected { .. } => "rejected",
        Outcome::Refused(_) => "refused",
        Outcome::Repeated { .. } => "repeated",
    }
}

/// The first answer comes back at once, after many other commands, and after a restart.
/// covers: REC-62
#[test]
fn a_repeat_gets_the_first_answer_and_changes_nothing() {
    let (disks, clock) = (Disks::new(21), clock());
    let engine = disks.start(&clock).expect("sound");
    let port = engine.port();
    let accounts = open_venue(&port, 2);
    let buy = keyed(1, place(accounts[0], Side::Buy, 100, 5).command);
    let pay = keyed(2, deposit(accounts[0], 9, 1));
    let first = [submit(&port, buy.clone()), submit(&port, pay.clone())];
    assert!(matches!(first[0].outcome, Outcome::Accepted { .. }));
    assert!(matches!(first[1].outcome, Outcome::Refused(_)), "a refusal is an answer too");
    let mut last_event = first[1].last_event;
    for round in 0..3 {
        let before = ask(&port, Query::Account(accounts[0]), last_event);
        assert_eq!(submit(&port, buy.clone()), first[0]);
        assert_eq!(submit(&port, pay.clone()), first[1]);
        assert_eq!(ask(&port, Query::Account(accounts[0]), 0), before, "nothing changed");
        for _ in 0..200 * round {
            last_event = submit(&port, place(accounts[1], Side::Buy, 90, 1)).last_event;
        }
    }
    let _ = engine.stop();
    let engine = disks.start(&clock).expect("sound");
    assert_eq!(submit(&engine.port(), buy), first[0]);
    assert_eq!(submit(&engine.port(), pay), first[1]);
    let is_repeat = |command: &Command| {
        matches!(command, Command::PlaceOrder(order)
        if order.account == accounts[0])
    };
    let _ = engine.stop();
    let commands = disks.stored_commands();
    assert_eq!(commands.iter().filter(|(_, stamped)| is_repeat(&stamped.command)).count(), 5);
}

/// What state has of a key is the hashes of key and body, who made it with its end, and the first command. The
/// answer to a repeat is not there: it is made from the archive, and is what the first caller was told, of
/// every kind of outcome, also by a node that started again and remembers nobody.
/// covers: EVT-81
#[test]
fn a_key_is_hashes_and_a_number_and_its_answer_is_in_the_archive() {
    let (disks, clock) = (Disks::new(22), clock());
    let engine = disks.start(&clock).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let requests = [
        keyed(1, place(account, Side::Buy, 100, 5).command),
        keyed(2, place(account, Side::Buy, u32::MAX, u32::MAX).command),
        keyed(3, deposit(account, 2, 1)),
        keyed(4, deposit(account, 9, 1)),
    ];
    let first: Vec<Reply> = requests.iter().map(|it| submit(&port, it.clone())).collect();
    let kinds: BTreeSet<&str> = first.iter().map(name).collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    let _ = engine.stop();
    let mut view = View::new(8);
    for block in disks.stored_blocks() {
        for group in GroupIter::new(block.payload()) {
            view.apply(&group.expect("sound"), &mut Changes::default()).expect("applies");
        }
    }
    for (request, reply) in requests.iter().zip(&first) {
        let key = request.key.expect("keyed");
        // All the fields that there are.
        let KeptKey { body_hash, expires_at, first_command, gateway } =
            *view.kernel().key(&key.key_hash).expect("kept");
        assert_eq!((body_hash, first_command, gateway), (key.body_hash, reply.command, false));
        let mut bytes = Vec::new();
        assert!(view.kernel().encode_entity(Entity::Key(key.key_hash), &mut bytes));
        assert!(bytes.len() <= 1 + 16 + 16 + 8 + 10 + 1, "{} bytes", bytes.len());
        assert!(expires_at.0 > crate::testing::NOON);
    }
    let engine = disks.start(&clock).expect("sound");
    for (request, reply) in requests.iter().zip(&first) {
        assert_eq!(submit(&engine.port(), request.clone()), *reply);
    }
    let _ = engine.stop();
    // Nor is anything lost with the archive: it is made anew from the events, and its answers with it.
    let made_anew =
        Disks { archive: Some(Arc::new(tempfile::tempdir().expect("a folder"))), ..disks };
    let engine = made_anew.start(&clock).expect("sound");
    for (request, reply) in requests.iter().zip(&first) {
        assert_eq!(submit(&engine.port(), request.clone()), *reply);
    }
}
