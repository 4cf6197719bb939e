//! What sources and sinks are asked to do: the JSON objects that TypeScript hands over.

mod output_spec;
mod sink_spec;
mod source_spec;

pub(crate) use output_spec::{Existing, OutputSpec};
pub(crate) use sink_spec::{
    ArrowCompression, ArrowFormat, ArrowSinkSpec, InvalidStrings, ParquetCompression, ParquetSinkSpec,
    SinkFormat, SinkSpec,
};
pub(crate) use source_spec::{
    ArrowSourceSpec, BinaryAs, ColumnForms, DecimalAs, Int64As, InvalidUtf8, JsonLinesSourceSpec,
    ParquetSourceSpec, SourceFormat, SourceSpec, TextLinesSourceSpec,
};
