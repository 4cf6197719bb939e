//! Inputs that come in pieces of any size give the same records.

use std::io::Read;
use std::sync::Arc;

use proptest::prelude::*;
use sage_frame::LayoutRegistry;
use sage_types::{ErrorCode, ErrorValue};

use crate::BatchSource;
use crate::csv_source::CsvSource;
use crate::input_range::InputRange;
use crate::json::JsonRowWriter;
use crate::json_source::JsonSource;
use crate::spec::SourceSpec;

/// A text that is read a few bytes at a time.
struct Pieces {
    text: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    reads: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes.get(self.reads % self.sizes.len().max(1)).copied();
        self.reads += 1;
        let rest = &self.text[self.at..];
        let bytes = size.unwrap_or(usize::MAX).min(rest.len()).min(buffer.len());
        buffer[..bytes].copy_from_slice(&rest[..bytes]);
        self.at += bytes;
        Ok(bytes)
    }
}

/// The records as JSON lines, the counters, and the code and line of the error at the end, if any.
type Outcome = (String, u64, u64, Option<(ErrorCode, Option<ErrorValue>)>);

fn outcome(spec: &SourceSpec, text: &[u8], sizes: &[usize]) -> Outcome {
    let registry = Arc::new(LayoutRegistry::new());
    let input = InputRange {
        input: Box::new(Pieces {
            text: text.to_vec(),
            at: 0,
            sizes: sizes.to_vec(),
            reads: 0,
        }),
        range: 0..u64::MAX,
        regular: false,
    };
    let opened: sage_types::Result<Box<dyn BatchSource>> = match spec {
        SourceSpec::Csv(spec) => {
            CsvSource::over(input, spec, Arc::clone(&registry)).map(|source| Box::new(source) as _)
        }
        SourceSpec::Json(spec) => {
            JsonSource::over(input, spec, Arc::clone(&registry)).map(|source| Box::new(source) as _)
        }
        other => panic!("{other:?}"),
    };
    let place = |error: sage_types::SageError| (error.code, error.context.get("line").cloned());
    let mut source = match opened {
        Ok(source) => source,
        Err(error) => return (String::new(), 0, 0, Some(place(error))),
    };
    let mut lines = Vec::new();
    let failure = loop {
        match source.next() {
            Ok(Some(frame)) => {
                let view = frame.view(&registry).unwrap();
                let writer = JsonRowWriter::new(&view).unwrap();
                for row in 0..view.rows() {
                    writer.push_row(row, &mut lines);
                    lines.push(b'\n');
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(place(error)),
        }
    };
    let statistics = source.statistics();
    let lines = String::from_utf8(lines).unwrap();
    (lines, statistics.records, statistics.skipped_records, failure)
}

proptest! {
    #[test]
    fn csv_is_the_same_in_any_pieces(
        text in prop_oneof![
            "[\",\r\n#a1é]{0,200}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..100),
        ],
        sizes in prop::collection::vec(1_usize..9, 1..5),
        options in prop::sample::select(vec![
            "", r#","onError":"skip""#, r#","trim":true,"comment":"\#","width":"pad","onError":"skip""#, r#","invalidUtf8":"replace","onError":"skip","batchRows":2"#,
        ]),
    ) {
        let spec = SourceSpec::parse(&format!(r#"{{"type":"csv","path":"table.csv"{}}}"#, options.replace('\\', ""))).unwrap();
        prop_assert_eq!(outcome(&spec, &text, &sizes), outcome(&spec, &text, &[]));
    }

    #[test]
    fn json_is_the_same_in_any_pieces(
        text in prop_oneof![
            "[\\[\\]{}\",:\\\\ \n\ra1-]{0,120}".prop_map(String::into_bytes),
            "(\\{\"a\":|\\[|1,|\"x\\\\\"\",|\r\n|\\],|\\},|null,){0,30}".prop_map(String::into_bytes),
        ],
        sizes in prop::collection::vec(1_usize..9, 1..5),
        deep in any::<bool>(),
    ) {
        let at = if deep { r#""a""# } else { "" };
        let spec = SourceSpec::parse(&format!(r#"{{"type":"json","path":"document.json","at":[{at}]}}"#)).unwrap();
        prop_assert_eq!(outcome(&spec, &text, &sizes), outcome(&spec, &text, &[]));
    }
}
