//! What sources and sinks are asked to do: the JSON objects that TypeScript hands over.

mod csv_sink_spec;
mod csv_source_spec;
mod json_source_spec;
mod sink_spec;
mod source_spec;

pub(crate) use csv_sink_spec::{CsvSinkQuote, CsvSinkSpec};
pub(crate) use csv_source_spec::{CsvAllTypes, CsvHeader, CsvOnError, CsvSourceSpec, CsvTypes, CsvWidth};
pub(crate) use json_source_spec::JsonSourceSpec;
pub(crate) use sink_spec::{InvalidStrings, ParquetCompression, ParquetSinkSpec, SinkSpec};
pub(crate) use source_spec::{
    BinaryAs, DecimalAs, Int64As, InvalidUtf8, JsonLinesSourceSpec, ParquetSourceSpec, SourceSpec,
    TextLinesSourceSpec,
};
