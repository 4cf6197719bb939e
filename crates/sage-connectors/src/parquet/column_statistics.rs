//! What the footer of a Parquet file says about its columns.

use arrow_schema::DataType;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;

/// Statistics over all row groups of the file, so that every split of it decides alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnStatistics<'a> {
    metadata: &'a ParquetMetaData,
}

impl<'a> ColumnStatistics<'a> {
    pub(crate) fn new(metadata: &'a ParquetMetaData) -> Self {
        Self { metadata }
    }

    /// Whether no value of the physical column `leaf`, and of what encloses it, is null. False when it is not known.
    pub(crate) fn has_no_nulls(self, leaf: usize) -> bool {
        self.all(leaf, |statistics| statistics.null_count_opt() == Some(0))
    }

    /// Whether every value of the 64-bit column `leaf` fits in 32 bits. False when it is not known.
    pub(crate) fn fits_i32(self, leaf: usize) -> bool {
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

/// Number of physical columns of a type.
pub(crate) fn count_leaves(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| count_leaves(field.data_type())).sum(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => count_leaves(item.data_type()),
        DataType::Dictionary(_, values) => count_leaves(values),
        _ => 1,
    }
}
