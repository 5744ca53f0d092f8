//! A disk that fills, and has room again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use port::{HealthStatus, PortFault};
use schema::{CancelOrder, Command, Outcome, ReduceOrder, ReplaceOrder};
use units::{Amount, Side};

use crate::testing::{
    Disks, clock, config, created, deposit, health, market, open_venue, order, place, request,
    submit, try_submit, wait_until,
};
use crate::{Config, DiskSpace, Engine};

/// A disk of which a test says how full it is.
#[derive(Debug, Default)]
struct Filled(AtomicU32);

impl DiskSpace for Filled {
    fn used(&self) -> io::Result<u32> {
        match self.0.load(Ordering::SeqCst) {
            u32::MAX => Err(io::ErrorKind::Other.into()),
            used => Ok(used),
        }
    }
}

/// At 90 % no new order is taken while cancels, reductions and money out go on; at 95 % nothing is, not even a Tick;
/// with room again everything is. A figure that cannot be had changes nothing.
/// covers: REC-70
#[test]
fn a_disk_that_fills_refuses_before_a_write_fails() {
    let (disks, clock) = (Disks::new(80), clock());
    let space = Arc::new(Filled::default());
    let config =
        Config { space: Some(space.clone()), tick_interval: Duration::from_millis(80), ..config() };
    let engine = Engine::start_with(config, disks.storage(), clock.clone()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let open = |ticks| created(&submit(&port, place(account, Side::Buy, ticks, 9)));
    let [one, two] = [open(100), open(101)];
    let fill = |used| {
        space.0.store(used, Ordering::SeqCst);
        clock.advance(250_000_000);
    };
    let order_again = || try_submit(&port, place(account, Side::Buy, 102, 1));
    fill(8_999);
    assert!(order_again().is_ok());
    assert_eq!(health(&port).status, HealthStatus::Healthy);
    fill(9_000);
    assert_eq!(order_again(), Err(PortFault::NoRoom));
    let replace =
        ReplaceOrder { order: one, state_seq: None, request: order(account, Side::Buy, 99, 1) };
    let replaced = try_submit(&port, request(Command::ReplaceOrder(replace)));
    assert_eq!(replaced, Err(PortFault::NoRoom));
    assert_eq!(health(&port).status, HealthStatus::Degraded);
    let quantity = Amount(market().lot_size.0 * 3);
    let reduce = ReduceOrder { account, order: two, quantity, state_seq: None };
    let Command::Deposit(entry) = deposit(account, 2, 1) else { unreachable!("it is one") };
    let cancel = |order| Command::CancelOrder(CancelOrder { account, order, state_seq: None });
    let going_on = [
        cancel(one),
        Command::ReduceOrder(reduce),
        Command::Withdraw(entry),
        deposit(account, 2, 1),
    ];
    for command in going_on {
        assert_eq!(submit(&port, request(command)).outcome, Outcome::Done { created: None });
    }
    fill(u32::MAX);
    assert_eq!(order_again(), Err(PortFault::NoRoom), "it stays as it was seen last");
    fill(9_500);
    assert_eq!(try_submit(&port, request(cancel(two))), Err(PortFault::NoRoom));
    let metrics = engine.metrics();
    let (ticks, refused) = (metrics.tick_count.value(), metrics.refused_room.value());
    assert_eq!((metrics.disk_used.value(), refused), (9_500, 4));
    // The clock goes on, and no Tick is given for it, though the core looks.
    for _ in 0..20 {
        clock.advance(100_000_000);
        assert_eq!(order_again(), Err(PortFault::NoRoom));
    }
    assert_eq!(metrics.tick_count.value(), ticks);
    fill(8_000);
    assert!(order_again().is_ok(), "there is room again");
    assert_eq!(submit(&port, request(cancel(two))).outcome, Outcome::Done { created: None });
    assert_eq!(health(&port).status, HealthStatus::Healthy);
    clock.advance(100_000_000);
    wait_until(|| metrics.tick_count.value() > ticks);
}
