//! A stage of the pipeline: what its thread does, and one unit of the same without waiting.
//!
//! Owns the two forms in which a shard runs. In the threaded form (`engine.rs`) each stage has a thread,
//! which waits for work and does it. In the stepped form (`stepped.rs`) a caller owns the stages and says
//! which does the next unit. Both are the same functions on the same queues: a step differs only in that
//! it does nothing where `run` would wait.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::executor::message;
use crate::fault::StopReason;
use crate::shard::Shard;

/// What a step of a stage came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It did a unit of work.
    Worked,
    /// There was nothing to do, or no room for what would come of it.
    Idle,
    /// It has ended and does nothing any more.
    Ended,
}

/// One stage between two queues.
pub(crate) trait Stage {
    /// Its name, and its thread's.
    const NAME: &'static str;

    /// Works until there is nothing left and nothing will come; waits in between.
    fn run(&mut self);

    /// Does one unit of work if there is one and room for what comes of it.
    fn step(&mut self) -> Step;

    /// Tells the stages around it that it has ended, so that nobody waits for it for ever.
    fn end(&mut self);
}

/// Runs a stage to its end. A panic in it, which is a bug, stops the shard.
pub(crate) fn run_to_end<S: Stage>(mut stage: S, shard: &Shard) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| stage.run())) {
        stop::<S>(shard, &*panic);
    }
    stage.end();
}

/// Steps a stage, which is gone once it has ended.
pub(crate) fn step<S: Stage>(held: &mut Option<S>, shard: &Shard) -> Step {
    let Some(stage) = held else { return Step::Ended };
    let step = catch_unwind(AssertUnwindSafe(|| stage.step())).unwrap_or_else(|panic| {
        stop::<S>(shard, &*panic);
        Step::Ended
    });
    if step == Step::Ended {
        stage.end();
        *held = None;
    }
    step
}

fn stop<S: Stage>(shard: &Shard, panic: &(dyn Any + Send)) {
    shard.stop(StopReason::Bug { thread: S::NAME, message: message(panic) });
}
