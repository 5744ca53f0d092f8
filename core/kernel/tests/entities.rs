//! The parts of the state: each has a name and bytes, together they are all of it, and what ended is in none.

mod common;

use std::collections::BTreeSet;

use common::random::Random;
use common::{Venue, limit, opening};
use kernel::{Entity, Kernel};
use schema::{Command, Event, OrderRequest, TimeInForce};
use units::Side::{Buy, Sell};
use units::Timestamp;

fn saved(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    kernel.save(&mut bytes);
    bytes
}

/// Kind by kind, each once, its bytes beginning with its kind; equal states have equal bytes.
/// covers: DET-46
#[test]
fn entities_have_names_of_their_own() {
    let mut random = Random::new(111);
    for _ in 0..2_000 {
        random.step();
    }
    let kernel = &random.venue.live;
    let entities: Vec<Entity> = kernel.entities().collect();
    let kinds: Vec<u8> = entities.iter().map(Entity::kind).collect();
    assert!(kinds.is_sorted() && kinds.iter().all(|&kind| usize::from(kind) < Entity::KIND_COUNT));
    assert!(kinds.iter().collect::<BTreeSet<_>>().len() >= 7, "the stream has most kinds");
    assert_eq!(entities.iter().collect::<BTreeSet<_>>().len(), entities.len());
    let mut all = BTreeSet::new();
    for entity in &entities {
        let (mut bytes, mut again) = (Vec::new(), Vec::new());
        assert!(kernel.encode_entity(*entity, &mut bytes));
        assert!(random.venue.replayed.encode_entity(*entity, &mut again));
        assert_eq!((bytes[0], &bytes), (entity.kind(), &again), "{entity:?}");
        assert!(all.insert(bytes), "no two have the same bytes");
    }
}

/// Change any byte of a saved state: what can still be loaded differs in an entity, or it is the place in the
/// command log, which no event tells (D-88). So there is nothing in the state that the hash does not see.
/// covers: DET-46
#[test]
fn every_part_of_the_state_belongs_to_an_entity() {
    let mut random = Random::new(112);
    for _ in 0..250 {
        random.step();
    }
    let good = saved(&random.venue.live);
    let state = Venue::state(&random.venue.live);
    let place = |kernel: &Kernel| {
        let position = kernel.position();
        (position.command_sequence, position.last_stamp)
    };
    let (mut loaded, mut moved) = (0, 0);
    for index in 0..good.len() {
        for wrong in [good[index] ^ 1, good[index] ^ 2, good[index].wrapping_add(1)] {
            let mut bytes = good.clone();
            bytes[index] = wrong;
            let Ok(kernel) = Kernel::load(&bytes) else { continue };
            loaded += 1;
            if Venue::state(&kernel) == state {
                assert_ne!(place(&kernel), place(&random.venue.live), "byte {index}");
                moved += 1;
            }
        }
    }
    assert!(loaded > 500 && moved > 0 && moved < 60, "{loaded} loaded, {moved} elsewhere");
}

/// A filled, a canceled, an expired and a rejected order and their trade leave no entity behind.
/// covers: DET-46, RPL-34
#[test]
fn what_ended_is_no_part_of_the_state() {
    let mut venue = Venue::new();
    let seller = venue.account("seller", "1", "1000");
    let buyer = venue.account("buyer", "1", "1000");
    let before: Vec<Entity> = venue.live.entities().collect();
    let maker = venue.accept(limit(seller, Sell, "0.5", "100"));
    assert_eq!(venue.live.entities().count(), before.len() + 1);
    let taker = venue.accept(limit(buyer, Buy, "0.5", "100"));
    let canceled = venue.accept(limit(buyer, Buy, "0.5", "90"));
    venue.cancel(buyer, canceled);
    let ioc = OrderRequest { time_in_force: TimeInForce::Ioc, ..limit(buyer, Buy, "0.5", "90") };
    let expired = venue.accept(ioc);
    venue.reject(limit(buyer, Buy, "0.5", "100000"));
    // What a later command depends on: balances, those of the fees too, and the volume of 30 days.
    let lasts = |entity: &Entity| matches!(entity, Entity::Balance { .. } | Entity::Fees(_));
    let others = |entities: Vec<Entity>| -> Vec<Entity> {
        entities.into_iter().filter(|entity| !lasts(entity)).collect()
    };
    assert_eq!(others(venue.live.entities().collect()), others(before));
    for order in [maker, taker, canceled, expired] {
        let mut bytes = Vec::new();
        assert!(!venue.live.encode_entity(Entity::Order(order.sequence()), &mut bytes));
        assert!(bytes.is_empty());
    }
    venue.check();
}

/// An idle day: no event, and the state is as it was.
/// covers: RPL-10
#[test]
fn a_time_without_events_changes_nothing() {
    let mut venue = Venue::new();
    let seller = venue.account("seller", "1", "0");
    venue.accept(limit(seller, Sell, "0.5", "100"));
    let before = Venue::state(&venue.live);
    for _ in 0..1_000 {
        venue.now.0 += 86_400_000_000;
        venue.run(Command::Tick);
        assert!(venue.events.is_empty() && venue.buffer.bytes().is_empty());
        assert!(Venue::state(&venue.live) == before);
    }
    venue.check();
}

/// Times in the state are those of the events that set them, to the nanosecond.
/// covers: TIME-42
#[test]
fn times_in_the_state_are_those_of_events() {
    let mut random = Random::new(113);
    let mut changed = 0;
    for _ in 0..2_000 {
        let before = random.venue.live.clone();
        random.step();
        let (venue, kernel) = (&random.venue, &random.venue.live);
        let times: Vec<Timestamp> = venue.events.iter().map(|(head, _)| head.timestamp).collect();
        for (head, event) in &venue.events {
            match event {
                Event::AccountCreated(_) => {
                    let number = kernel.account_count() - 1;
                    let account = kernel.account(number).expect("created");
                    assert_eq!(account.created_at, head.timestamp);
                }
                Event::OrderSubmitted(_) => {
                    let order = kernel.order_of(head.sequence);
                    assert!(order.is_none_or(|order| order.submitted_at == head.timestamp));
                }
                _ => {}
            }
        }
        for number in 0..before.account_count() {
            let [was, is] =
                [&before, kernel].map(|kernel| kernel.account(number).expect("there").updated_at);
            assert!(was == is || times.contains(&is), "account {number}");
            for asset in kernel.assets_of(number) {
                let [was, is] = [&before, kernel].map(|kernel| kernel.balance(number, asset));
                let same = (was.available, was.locked) == (is.available, is.locked);
                changed += u32::from(!same);
                assert!(same || times.contains(&is.updated_at), "account {number}");
                assert!(was.update_seq != is.update_seq || was.updated_at == is.updated_at);
            }
        }
    }
    assert!(changed > 1_000, "{changed} balances changed");
    // At its opening both times of an account are those of its creation.
    let mut venue = Venue::new();
    let id = Venue::created(venue.run(Command::CreateAccount(opening("new"))));
    let number = venue.live.account_number(id).expect("created");
    let account = venue.live.account(number).expect("created");
    let at = venue.events[0].0.timestamp;
    assert_eq!((account.created_at, account.updated_at), (at, at));
}
