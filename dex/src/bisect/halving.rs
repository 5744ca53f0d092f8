//! Halving: the last place at which something still holds.

use std::ops::Range;

/// The last place of a range at which `holds`, given that it holds at `places.start` and no longer at
/// `places.end`, and how often that was asked. Once it does not hold at a place it must not at any later one.
///
/// `holds` is told a place between the two and answers for the nearest one at or before it that can be
/// looked at, which it names; the place itself if it can.
///
/// # Errors
/// Whatever `holds` cannot do.
pub(super) fn last_that_holds<E>(
    places: Range<u64>,
    mut holds: impl FnMut(u64) -> Result<Looked, E>,
) -> Result<(u64, u32), E> {
    let Range { mut start, mut end } = places;
    let mut asked = 0;
    while end - start > 1 {
        let middle = start + (end - start) / 2;
        match holds(middle)? {
            // Nothing can be looked at between the start and the middle.
            Looked::Nowhere { next } if next >= end => break,
            Looked::Nowhere { next } => {
                asked += 1;
                match holds(next)? {
                    Looked::Holds(place) => start = place,
                    _ => end = next,
                }
            }
            Looked::Holds(place) => {
                asked += 1;
                start = place;
            }
            Looked::Differs(place) => {
                asked += 1;
                end = place;
            }
        }
    }
    Ok((start, asked))
}

/// What a look at a place found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// It holds at this place, the nearest one.
    Holds(u64),
    /// It does not hold at this place, the nearest one.
    Differs(u64),
    /// The nearest place is the one from which this began; the first behind it is `next`.
    Nowhere {
        /// The first place that can be looked at.
        next: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Wherever the first difference lies, it is found, with at most 24 looks at 5,000,000 places.
    /// covers: DET-60
    #[test]
    fn five_million_places_take_at_most_twenty_four_looks() {
        const COUNT: u64 = 5_000_000;
        let firsts = (1..=COUNT).step_by(7_919).chain([1, 2, 3, COUNT - 1, COUNT]);
        for first in firsts {
            let look = |place: u64| -> Result<Looked, Infallible> {
                Ok(if place < first { Looked::Holds(place) } else { Looked::Differs(place) })
            };
            let Ok((last, asked)) = last_that_holds(0..COUNT + 1, look);
            assert_eq!(last, first - 1);
            assert!(asked <= 24, "{asked} looks for {first}");
        }
    }

    /// Where only every seventh place can be looked at, as command ends among events.
    #[test]
    fn places_between_are_passed_over() {
        for first in (7..700).step_by(7) {
            let mut began = 0;
            let look = |place: u64| -> Result<Looked, Infallible> {
                let place = place - place % 7;
                Ok(if place <= began {
                    Looked::Nowhere { next: began + 7 }
                } else if place < first {
                    began = place;
                    Looked::Holds(place)
                } else {
                    Looked::Differs(place)
                })
            };
            let Ok((last, _)) = last_that_holds(0..701, look);
            assert_eq!(last, first - 7);
        }
    }
}
