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
    /// Target of the next record, for [`Partition::Rebalance`]; goes on where the last batch stopped.
    turn: Mutex<u32>,
}

impl Output {
    pub(crate) fn new(partition: Partition, edges: Vec<Arc<dyn Edge>>, key_groups: u32) -> Self {
        // The graph was validated: there are at most `key_groups` targets, so that the count fits.
        let parallelism = u32::try_from(edges.len()).unwrap_or(u32::MAX);
        Self {
            partition,
            edges: edges.into_boxed_slice(),
            key_groups: KeyGroups::new(key_groups, parallelism),
            turn: Mutex::new(0),
        }
    }

    pub(crate) fn has_credit(&self) -> bool {
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
                self.push_parts(partition::by_key(batch, &self.key_groups, meta)?)
            }
            Partition::Rebalance if self.edges.len() > 1 => {
                let mut turn = self.turn.lock();
                let parts = partition::round_robin(batch, self.key_groups.parallelism(), &mut turn, meta)?;
                drop(turn);
                self.push_parts(parts)
            }
            _ => self.push_to_all(Frame::from_view(batch, meta)?),
        };
        Ok(Sent { rows, bytes })
    }

    /// Sends a frame that exists already, without a copy where each target gets all of it.
    pub(crate) fn emit_frame(&self, frame: Frame, registry: &LayoutRegistry) -> Result<Sent> {
        let splits = matches!(self.partition, Partition::Hash | Partition::Rebalance) && self.edges.len() > 1;
        if splits {
            let meta = frame.meta();
            return self.emit(&frame.view(registry)?, meta);
        }
        let rows = frame.rows() as u64;
        if rows == 0 {
            return Ok(Sent::default());
        }
        Ok(Sent {
            rows,
            bytes: self.push_to_all(frame),
        })
    }

    pub(crate) fn end(&self, kind: EndKind) {
        for edge in &self.edges {
            edge.end(kind);
        }
    }

    fn push_parts(&self, parts: Vec<Option<Frame>>) -> u64 {
        let mut bytes = 0;
        for (edge, part) in self.edges.iter().zip(parts) {
            if let Some(frame) = part {
                bytes += frame.byte_len() as u64;
                edge.push(frame);
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
