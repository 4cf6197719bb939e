//! Types of columns, from the first rows.

use crate::formats::csv::column_type::{CsvType, TypeOrigin};

/// What the cells of one column have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inference {
    seen: bool,
    numbers: bool,
    bools: bool,
}

impl Inference {
    pub(crate) fn new() -> Self {
        Self {
            seen: false,
            numbers: true,
            bools: true,
        }
    }

    /// Looks at a cell that is not null.
    pub(crate) fn see(&mut self, text: &[u8]) {
        let is = |kind: CsvType| kind.value(TypeOrigin::Inferred, text).is_some();
        self.seen = true;
        self.numbers = self.numbers && is(CsvType::Number);
        self.bools = self.bools && is(CsvType::Bool);
    }

    /// The type that all cells have; text, when there is none.
    pub(crate) fn conclusion(self) -> CsvType {
        match self {
            Self { seen: false, .. } => CsvType::Text,
            Self { numbers: true, .. } => CsvType::Number,
            Self { bools: true, .. } => CsvType::Bool,
            _ => CsvType::Text,
        }
    }
}
