//! CSV files as the `csv` crate reads them, and the same in any number of splits.
#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::fmt::Write as _;

use proptest::prelude::*;
use sage_types::ErrorCode;
use serde_json::{Value, json};
use support::csv_file::{CsvFile, file};
use support::{Js, number, object, read, read_split, spec, text};

/// What the csv crate reads, as strings.
fn oracle(content: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(content);
    reader
        .byte_records()
        .map(|record| {
            record
                .unwrap()
                .iter()
                .map(|cell| String::from_utf8(cell.to_vec()).unwrap())
                .collect()
        })
        .collect()
}

fn strings(row: &Js, width: usize) -> Vec<String> {
    let Js::Object(fields) = row else {
        panic!("{row:?}")
    };
    (0..width)
        .map(
            |index| match &fields[&format!("c{index}").encode_utf16().collect::<Vec<_>>()] {
                Js::Text(units) => String::from_utf16(units).unwrap(),
                other => panic!("{other:?}"),
            },
        )
        .collect()
}

/// Cells with everything that quotes are for.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z0-9 .é😀-]{0,12}",
        2 => "[\",\r\n a]{0,8}",
        1 => "\"{0,3}",
    ]
}

/// All records of all splits, in order, at this many instances and rows of a batch.
fn in_splits(file: &CsvFile, options: &Value, instances: u32) -> (Vec<Js>, u64, Option<ErrorCode>) {
    let (mut rows, mut skipped, mut failure) = (Vec::new(), 0, None);
    for instance in 0..instances {
        match read_split(&spec("csv", &file.path, options), instance, instances) {
            Ok(read) => {
                rows.extend(read.rows);
                skipped += read.statistics.skipped_records;
                failure = failure.or(read.end.err().map(|error| error.code));
            }
            Err(error) => failure = failure.or(Some(error.code)),
        }
    }
    (rows, skipped, failure)
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_csv_crate_reads_it(
        table in (1_usize..5).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(cell(), width), 1..40)),
        crlf in any::<bool>(),
        always in any::<bool>(),
        instances in 1_u32..6,
        batch_rows in 1_usize..8,
    ) {
        // Given a table that the csv crate has written.
        let width = table[0].len();
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).quote_style(style).from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let content = writer.into_inner().unwrap();
        let file = file(&content);
        let names: Vec<String> = (0..width).map(|index| format!("c{index}")).collect();
        let options = json!({"header": names, "types": "string", "batchRows": batch_rows});
        // When it is read in one piece and in several.
        let whole = read(&spec("csv", &file.path, &options));
        let split = in_splits(&file, &options, instances);
        // Then each record is there once, with the cells of the table.
        prop_assert_eq!(&whole.end, &Ok(()));
        let cells: Vec<Vec<String>> = whole.rows.iter().map(|row| strings(row, width)).collect();
        prop_assert_eq!(&cells, &oracle(&content));
        prop_assert_eq!(&cells, &table);
        prop_assert_eq!(split, (whole.rows, 0, None));
    }

    #[test]
    fn any_bytes_give_the_same_however_they_are_divided(
        content in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            "[\",\r\n#a1 \u{e9}]{0,300}".prop_map(String::into_bytes),
            "([01]{1,2}(,|\n|\",\"|\n\"\"\",)){0,80}".prop_map(String::into_bytes),
        ],
        instances in 2_u32..7,
        comment in any::<bool>(),
        trim in any::<bool>(),
        replace in any::<bool>(),
        pad in any::<bool>(),
    ) {
        let file = file(&content);
        let mut options = json!({
            "header": ["a", "b"], "onError": "skip", "trim": trim, "batchRows": 3,
            "invalidUtf8": if replace { "replace" } else { "error" },
            "width": if pad { "pad" } else { "exact" },
        });
        if comment {
            options["comment"] = json!("#");
        }
        let whole = in_splits(&file, &options, 1);
        prop_assert_eq!(whole.2, None);
        prop_assert_eq!(in_splits(&file, &options, instances), whole.clone());
        // With 'fail' the good records before the first bad one are there.
        options["onError"] = json!("fail");
        let failed = in_splits(&file, &options, 1);
        prop_assert_eq!(failed.2.is_some(), whole.1 > 0);
        prop_assert_eq!(&failed.0[..], &whole.0[..failed.0.len()]);
    }
}

#[test]
fn blocks_and_splits_of_a_large_file_have_each_record_once() {
    // Given records whose quotes hold line ends and what looks like records, over several blocks.
    let mut content = "id,note\n".to_owned();
    for id in 0..40_000 {
        let note = match id % 7 {
            0 => format!("\"{}\n{id},\"\"fake\"\"\n\"", "x".repeat(id % 40)),
            1 => "5\" pipe".to_owned(),
            2 => String::new(),
            _ => "plain".to_owned(),
        };
        let _ = writeln!(content, "{id},{note}");
    }
    let file = file(&content);
    let whole = read(&spec("csv", &file.path, &json!({})));
    assert_eq!((whole.rows.len(), &whole.end), (40_000, &Ok(())));
    let expected: Vec<Vec<String>> = oracle(content.as_bytes()).split_off(1);
    for (row, cells) in whole.rows.iter().zip(&expected) {
        let id: f64 = cells[0].parse().unwrap();
        assert_eq!(*row, object([("id", number(id)), ("note", text(&cells[1]))]));
    }
    for instances in [2, 3, 16] {
        assert_eq!(
            in_splits(&file, &json!({}), instances).0,
            whole.rows,
            "{instances}"
        );
    }
}
