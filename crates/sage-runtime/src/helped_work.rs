//! A second thread for the work of one operator.

use std::collections::VecDeque;
use std::sync::Arc;

use sage_queue::sync::{Condvar, Mutex, MutexGuard};
use sage_queue::{EngineThread, MAX_SLICE, core_to_spare};
use sage_types::{ErrorCode, Result, SageError};

use crate::image::Spares;
use crate::net;

/// Pieces of work after which a helper is worth its start; a short job never has one.
const FROM_PIECES: u32 = 32;
/// So many pieces wake the helper: one each would cost a system call for each.
const WAKE_AT: usize = 2;
/// With so many waiting, whoever brings the next one works on the oldest itself: the bound of the queue.
const MOST_WAITING: usize = 8;
/// With so many outcomes that nobody has taken, nobody works on.
const MOST_OUTCOMES: usize = 8;

/// What an operator does with what it is given, one piece after the other.
pub(crate) trait Work: Send + 'static {
    /// A piece of work.
    type Piece: Send;
    /// What becomes of it.
    type Outcome: Send;
    /// Named where it panics.
    const PLACE: &'static str;

    /// Takes a piece in hand. What was in hand before is done.
    fn begin(&mut self, piece: Self::Piece);

    /// Whether something is in hand.
    fn is_busy(&self) -> bool;

    /// Works for a moment on what is in hand.
    ///
    /// # Errors
    /// Nothing more is done after one.
    fn step(&mut self, spares: &Spares) -> Result<Option<Self::Outcome>>;
}

/// Work that may be done by a second thread, while the first one makes the next piece. The helper is never waited for: what it
/// has not begun, the caller does itself. Pieces are done in the order in which they came, whoever does it.
pub(crate) struct HelpedWork<W: Work> {
    /// Locked before `queue`, by whoever takes a piece from there: that keeps their order.
    work: Mutex<W>,
    queue: Mutex<Queue<W>>,
    changed: Condvar,
    /// Memory of images that are done.
    pub(crate) spares: Spares,
    /// Whether a second thread may come at all: with one, nobody can say when an outcome is there.
    may_help: bool,
}

struct Queue<W: Work> {
    pieces: VecDeque<W::Piece>,
    /// Oldest first.
    outcomes: VecDeque<W::Outcome>,
    /// The first error; the next call returns it.
    error: Option<SageError>,
    has_failed: bool,
    seen: u32,
    has_helper: bool,
    is_closed: bool,
}

/// What a moment of work was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Worked,
    /// Outcomes have to be taken first.
    Full,
    /// Nothing is left to do.
    Idle,
}

impl<W: Work> HelpedWork<W> {
    /// Work without a helper; one comes when there are many pieces and a core that no engine thread uses.
    pub(crate) fn new(work: W, may_help: bool) -> Arc<Self> {
        Arc::new(Self {
            work: Mutex::new(work),
            queue: Mutex::new(Queue {
                pieces: VecDeque::new(),
                outcomes: VecDeque::new(),
                error: None,
                has_failed: false,
                seen: 0,
                has_helper: false,
                is_closed: false,
            }),
            changed: Condvar::new(),
            spares: Spares::default(),
            may_help,
        })
    }

    /// Gives a piece of work, to be done now or soon; a `large` one is done now, for some of them could fill the memory. How many outcomes wait
    /// to be taken, and whether there is a helper.
    ///
    /// # Errors
    /// Those of this piece or an earlier one.
    pub(crate) fn give(self: &Arc<Self>, piece: W::Piece, large: bool) -> Result<(usize, bool)> {
        let (is_helped, count) = {
            let mut queue = self.checked()?;
            queue.seen = queue.seen.saturating_add(1);
            if queue.seen == FROM_PIECES && self.may_help && core_to_spare() {
                queue.has_helper = self.start();
            }
            queue.pieces.push_back(piece);
            (queue.has_helper && !large, queue.pieces.len())
        };
        if !is_helped {
            while self.work_on() == Moment::Worked {}
        } else if count >= MOST_WAITING {
            while self.queue.lock().pieces.len() >= MOST_WAITING && self.work_on() == Moment::Worked {}
        } else if count >= WAKE_AT {
            self.changed.notify_one();
        }
        Ok((self.checked()?.outcomes.len(), is_helped))
    }

    /// Calls `body` with the outcomes that are there: at least the oldest one of those that are still to come, where the caller
    /// `waits`.
    ///
    /// # Errors
    /// That of a piece.
    pub(crate) fn take<T>(
        &self,
        waits: bool,
        body: impl FnOnce(&mut VecDeque<W::Outcome>) -> T,
    ) -> Result<T> {
        while waits && self.queue.lock().outcomes.is_empty() {
            // It waits for the helper, which may be in the middle of a moment.
            if self.work_on() == Moment::Idle {
                break;
            }
        }
        let mut queue = self.checked()?;
        let was_full = queue.outcomes.len() >= MOST_OUTCOMES;
        let taken = body(&mut queue.outcomes);
        if was_full && queue.has_helper {
            self.changed.notify_one();
        }
        Ok(taken)
    }

    /// Calls `body` with the work, behind everything that was given, but for what waits for outcomes to be taken.
    ///
    /// # Errors
    /// Those of `body`, or that of an earlier piece.
    pub(crate) fn with<T>(&self, body: impl FnOnce(&mut W) -> Result<T>) -> Result<T> {
        while self.work_on() == Moment::Worked {}
        let mut work = self.work.lock();
        // The helper notes an error before it lets the work go.
        drop(self.checked()?);
        body(&mut work)
    }

    /// Calls `body` with the work, behind everything that was given, all of whose outcomes were taken: then nothing is anywhere but in
    /// the work itself.
    ///
    /// # Errors
    /// As [`HelpedWork::with`]; `SAGE_INTERNAL` when there are outcomes.
    pub(crate) fn with_all_done<T>(&self, body: impl FnOnce(&mut W) -> Result<T>) -> Result<T> {
        while self.work_on() == Moment::Worked {}
        let mut work = self.work.lock();
        let queue = self.checked()?;
        if work.is_busy() || !queue.pieces.is_empty() || !queue.outcomes.is_empty() {
            return Err(SageError::new(
                ErrorCode::Internal,
                format!(
                    "the state of {} was asked for before all that comes of it was taken",
                    W::PLACE
                ),
            ));
        }
        drop(queue);
        body(&mut work)
    }

    /// The helper goes. What waits is forgotten.
    pub(crate) fn close(&self) {
        let mut queue = self.queue.lock();
        queue.is_closed = true;
        queue.pieces.clear();
        drop(queue);
        self.changed.notify_all();
    }

    fn checked(&self) -> Result<MutexGuard<'_, Queue<W>>> {
        let mut queue = self.queue.lock();
        match queue.error.take() {
            Some(error) => Err(error),
            None => Ok(queue),
        }
    }

    /// Works for a moment on the oldest piece.
    fn work_on(&self) -> Moment {
        let mut work = self.work.lock();
        {
            let mut queue = self.queue.lock();
            if queue.has_failed {
                return Moment::Idle;
            }
            if queue.outcomes.len() >= MOST_OUTCOMES {
                return Moment::Full;
            }
            if !work.is_busy() {
                let Some(piece) = queue.pieces.pop_front() else {
                    return Moment::Idle;
                };
                drop(queue);
                work.begin(piece);
            }
        }
        let outcome = net::catch(W::PLACE, || work.step(&self.spares));
        let mut queue = self.queue.lock();
        match outcome {
            Ok(outcome) => queue.outcomes.extend(outcome),
            Err(error) => {
                queue.has_failed = true;
                queue.pieces.clear();
                queue.error = Some(error);
            }
        }
        Moment::Worked
    }

    /// Whether a thread could be had; the work goes on without.
    fn start(self: &Arc<Self>) -> bool {
        let helper = Arc::clone(self);
        let thread = std::thread::Builder::new().name("sage-helper".to_owned());
        // Each moment has a net of its own; around them there is nothing that could panic.
        thread
            .spawn(move || {
                let _counted = EngineThread::enter();
                while helper.wait_for_work() {
                    while helper.work_on() == Moment::Worked {}
                }
            })
            .is_ok()
    }

    /// Waits for a piece that may be worked on; false when the helper is to go. What is in hand when nothing waits, whoever gave it takes further
    /// when it takes outcomes.
    fn wait_for_work(&self) -> bool {
        let mut queue = self.queue.lock();
        let mut is_woken = false;
        while !queue.is_closed
            && (queue.outcomes.len() >= MOST_OUTCOMES || (queue.pieces.is_empty() && !is_woken))
        {
            queue = self.changed.wait_timeout(queue, MAX_SLICE);
            is_woken = true;
        }
        !queue.is_closed
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test may say what it expects in the shortest way"
    )]

    use super::*;

    /// Gives each number as often as it says.
    #[derive(Default)]
    struct Repeats {
        number: u32,
        left: u32,
    }

    impl Work for Repeats {
        type Piece = u32;
        type Outcome = u32;
        const PLACE: &'static str = "repeats";

        fn begin(&mut self, piece: u32) {
            (self.number, self.left) = (piece, piece);
        }

        fn is_busy(&self) -> bool {
            self.left > 0
        }

        fn step(&mut self, _: &Spares) -> Result<Option<u32>> {
            assert!(self.number != 13, "thirteen");
            self.left -= 1;
            Ok(Some(self.number))
        }
    }

    #[test]
    fn given_a_caller_who_takes_nothing_then_outcomes_are_bounded_and_in_order_at_last() {
        let helper = HelpedWork::new(Repeats::default(), true);
        for n in 1..=100 {
            let (outcomes, _) = helper.give(n % 10 + 1, false).unwrap();
            assert!(outcomes <= MOST_OUTCOMES);
        }
        let mut taken = Vec::new();
        while let Some(one) = helper.take(true, VecDeque::pop_front).unwrap() {
            taken.push(one);
        }
        let expected: Vec<u32> = (1..=100)
            .flat_map(|n: u32| std::iter::repeat_n(n % 10 + 1, (n % 10 + 1) as usize))
            .collect();
        assert_eq!(taken, expected);
        helper.close();
    }

    #[test]
    fn given_a_panic_then_the_next_call_fails_and_nothing_more_is_done() {
        let helper = HelpedWork::new(Repeats::default(), true);
        let outcome = helper.give(13, false);
        assert_eq!(outcome.unwrap_err().code, ErrorCode::Internal);
        helper.give(1, false).unwrap();
        assert_eq!(helper.take(true, VecDeque::pop_front).unwrap(), None);
    }

    #[test]
    fn given_outcomes_that_nobody_took_then_the_work_is_not_given_for_a_save() {
        let helper = HelpedWork::new(Repeats::default(), true);
        helper.give(2, false).unwrap();
        let left = |work: &mut Repeats| Ok(work.left);
        assert_eq!(helper.with_all_done(left).unwrap_err().code, ErrorCode::Internal);
        helper.take(true, VecDeque::pop_front).unwrap();
        assert!(helper.with_all_done(left).is_err());
        helper.take(true, VecDeque::pop_front).unwrap();
        assert_eq!(helper.with_all_done(left).unwrap(), 0);
        // More than there may be outcomes: the rest waits.
        helper.give(20, false).unwrap();
        assert!(helper.with_all_done(left).is_err());
    }

    #[test]
    fn given_an_end_then_the_helper_goes() {
        let helper = HelpedWork::new(Repeats::default(), true);
        for _ in 0..100 {
            helper.give(1, false).unwrap();
            helper.take(true, VecDeque::pop_front).unwrap();
        }
        helper.close();
        while Arc::strong_count(&helper) > 1 {
            std::thread::yield_now();
        }
    }
}
