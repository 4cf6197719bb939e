//! Windows whose accumulators JavaScript keeps.

use sage_types::Result;

use crate::{Program, ProgramRecorder, WindowSpec, WindowTable};

/// Windows that tell JavaScript what to do with accumulators of its own. Rows of instructions are those of the batch that was
/// added last; the program has to be taken before the next one.
#[derive(Debug)]
pub struct RecordedWindows {
    table: WindowTable<ProgramRecorder>,
}

impl RecordedWindows {
    /// Windows without rows.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when the spec is malformed.
    pub fn new(spec: &WindowSpec) -> Result<Self> {
        let table = WindowTable::new(spec, ProgramRecorder::new(spec.elements))?;
        Ok(Self { table })
    }

    /// The bookkeeping.
    #[must_use]
    pub const fn table(&self) -> &WindowTable<ProgramRecorder> {
        &self.table
    }

    /// The bookkeeping, to add rows to.
    pub const fn table_mut(&mut self) -> &mut WindowTable<ProgramRecorder> {
        &mut self.table
    }

    /// What is to be done next: the rest of a batch, then what is due, up to `max_results` results. Empty when there is
    /// nothing; stays until it is taken.
    pub fn program(&mut self, max_results: usize) -> &Program {
        self.table.fire(max_results);
        self.table.accumulators().program()
    }

    /// The program was done.
    pub fn take_program(&mut self) {
        self.table.take(|recorder, _| recorder.clear());
    }
}
