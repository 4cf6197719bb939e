//! What the footer of a Parquet file says about its columns.

use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;

use crate::formats::arrow::ColumnFacts;

/// Statistics over all row groups of the file, so that every split of it decides alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnStatistics<'a> {
    metadata: &'a ParquetMetaData,
}

impl<'a> ColumnStatistics<'a> {
    pub(crate) fn new(metadata: &'a ParquetMetaData) -> Self {
        Self { metadata }
    }

    fn all(self, leaf: usize, holds: impl Fn(&Statistics) -> bool) -> bool {
        let columns = self
            .metadata
            .row_groups()
            .iter()
            .filter(|group| group.num_rows() > 0);
        let mut columns =
            columns.map(|group| group.columns().get(leaf).and_then(|column| column.statistics()));
        columns.all(|statistics| statistics.is_some_and(&holds))
    }
}

impl ColumnFacts for ColumnStatistics<'_> {
    fn has_no_nulls(&self, leaf: usize) -> bool {
        self.all(leaf, |statistics| statistics.null_count_opt() == Some(0))
    }

    fn fits_i32(&self, leaf: usize) -> bool {
        self.all(leaf, |statistics| {
            let Statistics::Int64(range) = statistics else {
                return false;
            };
            let bounds = [range.min_opt(), range.max_opt()];
            bounds
                .iter()
                .all(|bound| bound.is_some_and(|&bound| i32::try_from(bound).is_ok()))
        })
    }
}
