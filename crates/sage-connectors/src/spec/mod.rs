//! What sources and sinks are asked to do: the JSON objects that TypeScript hands over.

mod columnar_sink_spec;
mod columnar_source_spec;
mod csv_delimiter;
mod csv_sink_spec;
mod csv_source_spec;
mod invalid_strings;
mod json_source_spec;
mod line_sink_spec;
mod line_source_spec;
mod output_spec;
mod sink_spec;
mod source_spec;

pub(crate) use columnar_sink_spec::{
    ArrowCompression, ArrowFormat, ArrowSinkSpec, ParquetCompression, ParquetSinkSpec,
};
pub(crate) use columnar_source_spec::{BinaryAs, ColumnForms, ColumnarSourceSpec, DecimalAs, Int64As};
pub(crate) use csv_sink_spec::{CsvSinkQuote, CsvSinkSpec};
pub(crate) use csv_source_spec::{CsvAllTypes, CsvHeader, CsvOnError, CsvSourceSpec, CsvTypes, CsvWidth};
pub(crate) use invalid_strings::InvalidStrings;
pub(crate) use json_source_spec::JsonSourceSpec;
pub(crate) use line_sink_spec::{JsonLinesSinkSpec, JsonSinkSpec, LineCompression, TextLinesSinkSpec};
pub(crate) use line_source_spec::{InvalidUtf8, JsonLinesSourceSpec, TextLinesSourceSpec};
pub(crate) use output_spec::{Existing, OutputSpec};
pub(crate) use sink_spec::{SinkFormat, SinkSpec};
pub(crate) use source_spec::{SourceFormat, SourceSpec};
