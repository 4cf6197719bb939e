//! Sinks by their specs.

use std::path::Path;
use std::sync::Arc;

use sage_frame::LayoutRegistry;
use sage_types::{ErrorCode, Result, SageError};

use crate::output::{FileOptions, OutputFile, SavedReader, is_directory, part_path};
use crate::sinks::{
    ArrowWriter, Beginning, CsvWriter, DirectorySink, JsonLinesWriter, JsonWriter, LineSink, LineWriter,
    OpenFile, OpenPart, ParquetWriter, PartFiles, PartSink, PartsSink, RecordBatchSink, RecordBatchWriter,
    TextLinesWriter,
};
use crate::spec::{Existing, OutputSpec, SinkFormat, SinkSpec};
use crate::{BatchSink, SourceSplit};

/// Memory for what is written at once of a file of columns (a row group, a record batch), when it is the only one ...
const PART_BYTES: usize = 128 << 20;
/// ... and of all files that one instance has open.
const ALL_PARTS_BYTES: usize = 1 << 30;

/// Opens the part of a sink that instance `part` writes: `{part}` in the path becomes its number, a directory gets
/// a file for each part, or many, and `-` is standard output.
///
/// The registry is not needed by the sinks that there are: a batch knows its layout. It is part of the call because a sink
/// that decodes frames by itself will need it.
///
/// # Errors
/// `SAGE_PLAN_SINK` for a malformed spec, `SAGE_PLAN_OUTPUT_PATH` when several instances would write one file,
/// `SAGE_IO_EXISTS` when a directory has files of an earlier run that would be taken for a part of this one, and `SAGE_IO_*`
/// when the file cannot be created.
#[expect(
    clippy::needless_pass_by_value,
    reason = "see the documentation: a sink that needs it keeps it"
)]
pub fn open_sink(
    spec_json: &str,
    part: SourceSplit,
    registry: Arc<LayoutRegistry>,
) -> Result<Box<dyn BatchSink>> {
    let _ = registry;
    let open = part_opener(spec_json, part)?;
    Ok(Box::new(PartsSink::open(part, open)?))
}

/// Opens a sink that goes on behind what an earlier process wrote: [`BatchSink::restore`] says where, and nothing is looked at
/// or created before.
///
/// # Errors
/// `SAGE_PLAN_SINK` for a malformed spec, `SAGE_PLAN_OUTPUT_PATH` when several instances would write one file.
#[expect(clippy::needless_pass_by_value, reason = "as for open_sink")]
pub fn resume_sink(
    spec_json: &str,
    part: SourceSplit,
    registry: Arc<LayoutRegistry>,
) -> Result<Box<dyn BatchSink>> {
    let _ = registry;
    let spec = SinkSpec::parse(spec_json)?;
    if !is_directory(&spec.output.path) {
        part_path(&spec.output.path, part)?;
    }
    let open = part_opener(spec_json, part)?;
    Ok(Box::new(PartsSink::to_restore(part, open)))
}

/// What opens the files of a number.
fn part_opener(spec_json: &str, part: SourceSplit) -> Result<OpenPart> {
    part.check()?;
    let spec = SinkSpec::parse(spec_json)?;
    Ok(Box::new(move |part, beginning, beside_earlier| {
        open_part(spec.clone(), part, beginning, beside_earlier)
    }))
}

fn open_part(
    spec: SinkSpec,
    part: SourceSplit,
    beginning: Beginning<'_>,
    beside_earlier: bool,
) -> Result<Box<dyn PartSink>> {
    let SinkSpec { mut output, format } = spec;
    let options = FileOptions {
        mkdir: output.mkdir,
        append: format.appends(),
        compression: format.compression(),
        eager: false,
    };
    let has_partitions = !output.partition_by.is_empty();
    let numbered = has_partitions || output.rolls() || output.existing == Existing::Add;
    let files = PartFiles::new(part, format.extension(), options.compression.suffix(), numbered);
    if numbered || output.existing == Existing::Replace {
        let max_open_files = if has_partitions { output.max_open_files } else { 1 };
        // What is in memory does not count as written: it is no more than a file may have.
        let most = output
            .max_file_bytes
            .and_then(|bytes| usize::try_from(bytes).ok());
        let part_bytes = (ALL_PARTS_BYTES / max_open_files)
            .min(PART_BYTES)
            .min(most.unwrap_or(usize::MAX));
        if beside_earlier && output.existing == Existing::Error {
            // The first run of this sink has looked.
            output.existing = Existing::Add;
        }
        let open: OpenFile = Arc::new(move |file, saved| open_file(&format, file, part_bytes, saved));
        return Ok(Box::new(DirectorySink::open(
            output, files, options, open, beginning,
        )?));
    }
    let (file, mut saved) = match beginning {
        Beginning::Anew => {
            let path = path_of(&output, &files, options, beside_earlier)?;
            (OutputFile::open(&path, options)?, None)
        }
        Beginning::Saved(saved) => {
            let mut saved = SavedReader::new(saved)?;
            (OutputFile::restore(saved.json()?, options)?, Some(saved))
        }
        Beginning::Completed { sealed, open } => {
            let mut open = SavedReader::new(open.ok_or_else(was_complete)?)?;
            let sealed = SavedReader::new(sealed)?.json()?;
            (OutputFile::reopen(open.json()?, &sealed, options)?, Some(open))
        }
    };
    open_file(&format, file, PART_BYTES, saved.as_mut())
}

fn was_complete() -> SageError {
    SageError::new(
        ErrorCode::CheckpointSink,
        "what the sink writes was complete at the checkpoint, and there are more records; go on with the parallelism that the job had",
    )
}

fn path_of(
    output: &OutputSpec,
    files: &PartFiles,
    options: FileOptions,
    beside_earlier: bool,
) -> Result<std::path::PathBuf> {
    let path: &Path = &output.path;
    if !is_directory(path) {
        return part_path(path, files.part);
    }
    // What is appended to is a part of the result.
    if !options.append && !beside_earlier {
        files.refuse_earlier(path)?;
    }
    Ok(path.join(files.name(0)))
}

fn open_file(
    format: &SinkFormat,
    file: OutputFile,
    part_bytes: usize,
    saved: Option<&mut SavedReader<'_>>,
) -> Result<Box<dyn PartSink>> {
    match format {
        SinkFormat::TextLines(spec) => lines(file, TextLinesWriter::new(spec.invalid_strings), saved),
        SinkFormat::JsonLines(_) => lines(file, JsonLinesWriter, saved),
        SinkFormat::Csv(spec) => {
            let writer = CsvWriter::new(&file, spec)?;
            lines(file, writer, saved)
        }
        SinkFormat::Json(_) => lines(file, JsonWriter, saved),
        SinkFormat::Parquet(spec) => {
            let own = spec.clone();
            let open = move |file, schema, begun: Option<&[u8]>| {
                ParquetWriter::open(file, schema, &own, part_bytes, begun)
            };
            rows(
                RecordBatchSink::new(file, &spec.schema, spec.invalid_strings, open)?,
                saved,
            )
        }
        SinkFormat::Arrow(spec) => {
            let own = spec.clone();
            let open = move |file, schema, begun: Option<&[u8]>| {
                ArrowWriter::open(file, schema, &own, part_bytes, begun.is_some())
            };
            rows(
                RecordBatchSink::new(file, &spec.schema, spec.invalid_strings, open)?,
                saved,
            )
        }
    }
}

fn lines(
    file: OutputFile,
    writer: impl LineWriter + 'static,
    saved: Option<&mut SavedReader<'_>>,
) -> Result<Box<dyn PartSink>> {
    Ok(Box::new(match saved {
        Some(saved) => LineSink::restored(file, writer, saved)?,
        None => LineSink::new(file, writer),
    }))
}

fn rows<W: RecordBatchWriter + 'static>(
    sink: RecordBatchSink<W>,
    saved: Option<&mut SavedReader<'_>>,
) -> Result<Box<dyn PartSink>> {
    Ok(Box::new(match saved {
        Some(saved) => sink.restore(saved)?,
        None => sink,
    }))
}
