//! Inputs that come in pieces of any size give the same records.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use sage_frame::LayoutRegistry;
use sage_types::{ErrorCode, ErrorValue};

use crate::columns::FrameMaker;
use crate::formats::json::{JsonRowWriter, JsonRows};
use crate::input::{ByteInput, ByteWindow, Pieces};
use crate::sources::{CsvReader, JsonReader, ReaderSource};
use crate::spec::{SourceFormat, SourceSpec};
use crate::{BatchSource, NextBatch, SourceSplit};

/// The records as JSON lines, how many were left out, and the code and line of the error at the end, if any.
type Outcome = (String, u64, Option<(ErrorCode, Option<ErrorValue>)>);

fn outcome(spec: &SourceFormat, text: &[u8], sizes: &[usize]) -> Outcome {
    let registry = Arc::new(LayoutRegistry::new());
    let input = ByteInput::Pieces(Pieces::new(text.to_vec(), sizes.to_vec()));
    let window = |most| ByteWindow::new(input, Path::new("x"), most, Vec::new());
    let mut source: Box<dyn BatchSource> = match spec {
        SourceFormat::Csv(spec) => {
            let frames = FrameMaker::new(Arc::clone(&registry));
            let window = window(spec.max_record_bytes);
            let reader = CsvReader::over(window, Arc::new(spec.clone()), 0..u64::MAX, frames);
            Box::new(ReaderSource::new(reader.unwrap(), SourceSplit::WHOLE, true))
        }
        SourceFormat::Json(spec) => {
            let rows = JsonRows::new(spec.columns.as_deref(), Arc::clone(&registry));
            let reader = JsonReader::over(window(spec.max_record_bytes), spec, rows);
            Box::new(ReaderSource::new(reader, SourceSplit::WHOLE, true))
        }
        other => panic!("{other:?}"),
    };
    let mut lines = Vec::new();
    let failure = loop {
        match source.next() {
            Ok(NextBatch::Frame(frame)) => {
                let view = frame.view(&registry).unwrap();
                let writer = JsonRowWriter::new(&view).unwrap();
                for row in 0..view.rows() {
                    writer.push_row(row, &mut lines);
                    lines.push(b'\n');
                }
            }
            Ok(NextBatch::Waiting) => {}
            Ok(NextBatch::Ended) => break None,
            Err(error) => break Some((error.code, error.context.get("line").cloned())),
        }
    };
    let lines = String::from_utf8(lines).unwrap();
    (lines, source.statistics().skipped_records, failure)
}

/// Sizes of pieces, with waits between them.
fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..9, 1..6)
        .prop_filter("no piece at all", |sizes| sizes.iter().any(|&size| size > 0))
}

proptest! {
    #[test]
    fn csv_is_the_same_in_any_pieces(
        text in prop_oneof![
            "[\",\r\n#a1é]{0,200}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..100),
        ],
        sizes in pieces(),
        options in prop::sample::select(vec![
            "", r#","onError":"skip""#, r#","trim":true,"comment":"\#","width":"pad","onError":"skip""#, r#","invalidUtf8":"replace","onError":"skip","batchRows":2"#,
        ]),
    ) {
        let spec = SourceSpec::parse(&format!(r#"{{"type":"csv","path":"table.csv"{}}}"#, options.replace('\\', ""))).unwrap().format;
        prop_assert_eq!(outcome(&spec, &text, &sizes), outcome(&spec, &text, &[]));
    }

    #[test]
    fn json_is_the_same_in_any_pieces(
        text in prop_oneof![
            "[\\[\\]{}\",:\\\\ \n\ra1-]{0,120}".prop_map(String::into_bytes),
            "(\\{\"a\":|\\[|1,|\"x\\\\\"\",|\r\n|\\],|\\},|null,){0,30}".prop_map(String::into_bytes),
        ],
        sizes in pieces(),
        deep in any::<bool>(),
    ) {
        let at = if deep { r#""a""# } else { "" };
        let spec = SourceSpec::parse(&format!(r#"{{"type":"json","path":"document.json","at":[{at}]}}"#)).unwrap().format;
        prop_assert_eq!(outcome(&spec, &text, &sizes), outcome(&spec, &text, &[]));
    }
}
