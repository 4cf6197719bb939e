//! What sources and sinks are asked to do: the JSON objects that TypeScript hands over.

mod sink_spec;
mod source_spec;

pub(crate) use sink_spec::{InvalidStrings, ParquetCompression, ParquetSinkSpec, SinkSpec};
pub(crate) use source_spec::{
    BinaryAs, DecimalAs, Int64As, InvalidUtf8, JsonLinesSourceSpec, ParquetSourceSpec, SourceFormat,
    SourceSpec, TextLinesSourceSpec,
};
