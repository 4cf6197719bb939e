//! Where the records of one task go.

use std::sync::Arc;

use sage_frame::{BatchView, Frame, FrameMeta, LayoutRegistry, partition};
use sage_queue::EndKind;
use sage_queue::sync::Mutex;
use sage_types::{KeyGroups, Result};

use crate::edge::Edge;
use crate::graph::Partition;

/// What was sent by one emission, for the metrics: counted once, however many targets got it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sent {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// One output: the edges to all instances of the target stage.
pub(crate) struct Output {
    partition: Partition,
    edges: Box<[Arc<dyn Edge>]>,
    key_groups: KeyGroups,
    /// For [`Partition::Rebalance`].
    dealing: Mutex<Dealing>,
    /// Not all targets take records from the start.
    elastic: bool,
}

/// To whom records are dealt in turn.
struct Dealing {
    /// Indexes of the targets that take records, ascending.
    awake: Vec<usize>,
    /// Which of them gets the next record; goes on where the last batch stopped.
    turn: u32,
}

impl Output {
    /// `awake` says of each target whether it takes records from the start; only a rebalance leaves any out.
    pub(crate) fn new(
        partition: Partition,
        edges: Vec<Arc<dyn Edge>>,
        awake: &[bool],
        key_groups: u32,
    ) -> Self {
        // The graph was validated: there are at most `key_groups` targets, so that the count fits.
        let parallelism = u32::try_from(edges.len()).unwrap_or(u32::MAX);
        Self {
            partition,
            edges: edges.into_boxed_slice(),
            key_groups: KeyGroups::new(key_groups, parallelism),
            elastic: awake.contains(&false),
            dealing: Mutex::new(Dealing {
                awake: (0..awake.len()).filter(|&target| awake[target]).collect(),
                turn: 0,
            }),
        }
    }

    /// Whether there is room for what a step gives: behind all targets, or, where records go to whoever has room, behind one.
    pub(crate) fn has_credit(&self) -> bool {
        if self.elastic {
            let dealing = self.dealing.lock();
            return dealing
                .awake
                .iter()
                .any(|&target| self.edges[target].has_credit());
        }
        self.edges.iter().all(|edge| edge.has_credit())
    }

    /// Sends a batch whose memory is the caller's.
    pub(crate) fn emit(&self, batch: &BatchView<'_>, meta: FrameMeta) -> Result<Sent> {
        let rows = batch.rows() as u64;
        if rows == 0 {
            return Ok(Sent::default());
        }
        let bytes = match self.partition {
            Partition::Hash if self.edges.len() > 1 => {
                let parts = partition::by_key(batch, &self.key_groups, meta)?;
                self.push_parts(parts.into_iter().enumerate())
            }
            Partition::Rebalance if self.elastic => self.deal(batch, meta)?,
            Partition::Rebalance if self.edges.len() > 1 => {
                let mut dealing = self.dealing.lock();
                let instances = self.key_groups.parallelism();
                let parts = partition::round_robin(batch, instances, &mut dealing.turn, meta)?;
                drop(dealing);
                self.push_parts(parts.into_iter().enumerate())
            }
            _ => self.push_to_all(Frame::from_view(batch, meta)?),
        };
        Ok(Sent { rows, bytes })
    }

    /// Sends a frame that exists already, without a copy where each target gets all of it.
    pub(crate) fn emit_frame(&self, frame: Frame, registry: &LayoutRegistry) -> Result<Sent> {
        let rows = frame.rows() as u64;
        if rows == 0 {
            return Ok(Sent::default());
        }
        let splits = matches!(self.partition, Partition::Hash | Partition::Rebalance) && self.edges.len() > 1;
        if !splits {
            let bytes = self.push_to_all(frame);
            return Ok(Sent { rows, bytes });
        }
        if let Some(only) = self.only_taker() {
            let bytes = frame.byte_len() as u64;
            self.edges[only].push(frame);
            return Ok(Sent { rows, bytes });
        }
        let meta = frame.meta();
        self.emit(&frame.view(registry)?, meta)
    }

    /// Says to all targets that all records before `watermark` have been sent, and whether none come for now.
    pub(crate) fn emit_time(&self, watermark: f64, idle: bool) {
        self.push_to_all(Frame::time(watermark, idle));
    }

    /// Sends a barrier to all targets.
    pub(crate) fn emit_barrier(&self, epoch: u64, last: bool) {
        self.push_to_all(Frame::barrier(epoch, last));
    }

    /// From now on records are dealt to this target too.
    pub(crate) fn wake(&self, target: usize) {
        let mut dealing = self.dealing.lock();
        if let Err(place) = dealing.awake.binary_search(&target) {
            dealing.awake.insert(place, target);
        }
    }

    /// Row after row to the target with the fewest rows in its queue, in turn where several have as few: one that has just
    /// woken catches up with the others, and one that is slower is not waited for.
    fn deal(&self, batch: &BatchView<'_>, meta: FrameMeta) -> Result<u64> {
        let mut dealing = self.dealing.lock();
        let takers = self.takers(&dealing.awake);
        let mut fill: Vec<u64> = takers
            .iter()
            .map(|&target| self.edges[target].len_rows())
            .collect();
        let count = u32::try_from(takers.len()).unwrap_or(u32::MAX);
        let mut turn = dealing.turn % count.max(1);
        let targets: Vec<u32> = (0..batch.rows())
            .map(|_| {
                let in_turn = (turn..count).chain(0..turn);
                let target = in_turn
                    .min_by_key(|&taker| fill[taker as usize])
                    .unwrap_or_default();
                fill[target as usize] += 1;
                turn = if target + 1 == count { 0 } else { target + 1 };
                target
            })
            .collect();
        dealing.turn = turn;
        drop(dealing);
        let parts = partition::by_target(batch, &targets, count, meta)?;
        Ok(self.push_parts(takers.into_iter().zip(parts)))
    }

    /// The target that gets all of a batch, where records go to whoever has room and only one is there.
    fn only_taker(&self) -> Option<usize> {
        if !self.elastic {
            return None;
        }
        match self.takers(&self.dealing.lock().awake)[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Those of the targets that have room; all of them when none has, as what was computed has to go somewhere.
    fn takers(&self, awake: &[usize]) -> Vec<usize> {
        let with_room: Vec<usize> = awake
            .iter()
            .copied()
            .filter(|&target| self.edges[target].has_credit())
            .collect();
        if with_room.is_empty() {
            awake.to_vec()
        } else {
            with_room
        }
    }

    pub(crate) fn end(&self, kind: EndKind) {
        for edge in &self.edges {
            edge.end(kind);
        }
    }

    /// Each part to the target with its index.
    fn push_parts(&self, parts: impl Iterator<Item = (usize, Option<Frame>)>) -> u64 {
        let mut bytes = 0;
        for (target, part) in parts {
            if let Some(frame) = part {
                bytes += frame.byte_len() as u64;
                self.edges[target].push(frame);
            }
        }
        bytes
    }

    fn push_to_all(&self, frame: Frame) -> u64 {
        let bytes = frame.byte_len() as u64;
        if let Some((last, others)) = self.edges.split_last() {
            for edge in others {
                edge.push(frame.clone());
            }
            last.push(frame);
        }
        bytes
    }
}
