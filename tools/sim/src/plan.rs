//! What happens in a run, and in which order.
//!
//! Owns the plan of a seed: a list of acts, each with a seed of its own, so that a plan with acts left
//! out is a plan again and the rest does much the same. Which faults a run has, and how often, is drawn
//! first: a run with every fault at once hides the deep effects of a few.

use testkit::rng::SplitMix64;

/// One act of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) kind: ActKind,
    /// What its choices follow from.
    pub(crate) seed: u64,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ActKind {
    /// A client makes a request; it is on its way.
    Send,
    /// One of the messages on their way arrives, not always the oldest.
    Deliver,
    /// Stages of the node do some work; a node that is down is started.
    Work,
    /// Time passes.
    Pass,
    /// A client that was not answered tries again with the same key.
    Retry,
    /// A client asks a view.
    Ask,
    /// The consumer of events reads what it has not read.
    Read,
    /// A message on its way is lost.
    LoseMessage,
    /// A message on its way arrives, and stays on its way.
    DoubleMessage,
    /// The next answer is lost on its way back.
    LoseAnswer,
    /// Many requests arrive at once.
    Overload,
    /// Many orders end at one moment.
    Storm,
    /// The process dies; the machine lives.
    Kill,
    /// Power is lost at once.
    LosePower,
    /// Power is lost at a write or a sync that comes soon.
    LosePowerSoon,
    /// The next sync fails.
    FailSync,
    /// The next write fails half done.
    FailWrite,
    /// No file can grow any more.
    FillDisk,
    /// There is room again.
    MakeRoom,
    /// The log's stage does nothing for a while.
    SlowDisk,
    /// The consumer reads nothing for a while.
    StallConsumer,
    /// The wall clock jumps.
    JumpClock,
    /// The wall clock is right again, and a person says so.
    RightClock,
    /// A bit of what is durable flips, and the node starts again.
    FlipBit,
    /// A durable sector is lost, and the node starts again.
    LoseSector,
}

impl ActKind {
    /// Everything that goes wrong.
    pub(crate) const FAULTS: [Self; 17] = [
        Self::Retry,
        Self::LoseMessage,
        Self::DoubleMessage,
        Self::LoseAnswer,
        Self::Overload,
        Self::Storm,
        Self::Kill,
        Self::LosePower,
        Self::LosePowerSoon,
        Self::FailSync,
        Self::FailWrite,
        Self::FillDisk,
        Self::SlowDisk,
        Self::StallConsumer,
        Self::JumpClock,
        Self::FlipBit,
        Self::LoseSector,
    ];

    /// What makes good again, and so comes with it.
    const fn remedy(self) -> Option<Self> {
        match self {
            Self::FillDisk => Some(Self::MakeRoom),
            Self::JumpClock => Some(Self::RightClock),
            _ => None,
        }
    }

    /// How often a fault comes beside others, where it comes at all.
    const fn weight(self) -> u64 {
        match self {
            Self::Retry | Self::LoseMessage | Self::DoubleMessage | Self::LoseAnswer => 6,
            Self::FillDisk | Self::JumpClock | Self::SlowDisk | Self::StallConsumer => 2,
            _ => 1,
        }
    }
}

/// The plan of a seed.
pub(crate) fn plan(seed: u64) -> Vec<Act> {
    let mut random = SplitMix64::new(seed);
    let mut faults = Vec::new();
    let share = random.between(1, 4);
    for kind in ActKind::FAULTS {
        if random.below(4) < share {
            for _ in 0..kind.weight() {
                faults.push(kind);
                faults.extend(kind.remedy());
            }
        }
    }
    // From a fault in 8 acts to one in 100.
    let distance = *random.pick(&[8, 16, 30, 60, 100]).expect("some");
    // From a step of a stage at a time to all that there is to do.
    let work = random.between(2, 12);
    let count = random.between(ACT_COUNT_MIN, ACT_COUNT_MAX);
    let act = |_| {
        let fault = if random.below(distance) == 0 { random.pick(&faults).copied() } else { None };
        let kind = fault.unwrap_or_else(|| match random.below(30 + work) {
            0..10 => ActKind::Send,
            10..20 => ActKind::Deliver,
            20..24 => ActKind::Pass,
            24 => ActKind::Retry,
            25..28 => ActKind::Ask,
            28..30 => ActKind::Read,
            _ => ActKind::Work,
        });
        Act { kind, seed: random.next() }
    };
    (0..count).map(act).collect()
}

const ACT_COUNT_MIN: u64 = 300;
const ACT_COUNT_MAX: u64 = 6_000;
