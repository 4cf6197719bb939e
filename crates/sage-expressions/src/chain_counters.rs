//! What the nodes of a stage in the core count.

/// Numbers of each node, as the job's result reads them (`ts/runtime/job/job-result.ts`): blocks of one number for each. The last one is of
/// error policies, which no operator here has.
const BLOCKS: usize = 8;
const ENTERED: usize = 0;
const DROPPED: usize = 1;
const WATERMARKS: usize = 5;
const LATE: usize = 6;

/// Counters of a stage.
#[derive(Debug)]
pub struct ChainCounters {
    nodes: usize,
    values: Vec<f64>,
}

impl ChainCounters {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        let mut values = vec![0.0; nodes * BLOCKS];
        values[nodes * WATERMARKS..nodes * (WATERMARKS + 1)].fill(f64::NAN);
        Self { nodes, values }
    }

    /// Records that came in at a node.
    pub fn entered(&mut self, node: usize, rows: usize) {
        self.add(ENTERED, node, rows);
    }

    /// Records that a node has left out.
    pub fn dropped(&mut self, node: usize, rows: usize) {
        self.add(DROPPED, node, rows);
    }

    /// Records that were too late for a node.
    pub fn late(&mut self, node: usize, rows: usize) {
        self.add(LATE, node, rows);
    }

    /// How far event time is from a node on, in epoch milliseconds; infinity at the end.
    pub fn watermark(&mut self, from_node: usize, watermark: f64) {
        let block = &mut self.values[self.nodes * WATERMARKS..self.nodes * (WATERMARKS + 1)];
        // JSON has no infinity.
        let shown = watermark.min(f64::MAX);
        block.iter_mut().skip(from_node).for_each(|value| *value = shown);
    }

    /// All of them, as they are reported.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    fn add(&mut self, block: usize, node: usize, rows: usize) {
        if node < self.nodes {
            self.values[block * self.nodes + node] += rows as f64;
        }
    }
}
