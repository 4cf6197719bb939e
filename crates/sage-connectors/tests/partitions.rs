//! Records divided over directories by the values of their fields.

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect in the shortest way"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use proptest::prelude::*;
use sage_connectors::{SourceSplit, open_sink};
use sage_types::ErrorCode;
use serde_json::{Map, Value, json};
use support::batch::Batch;
use support::spec;
use support::written::{
    by_directory, directory_spec, names, records_of, tree, write, write_batches, write_error,
};

#[test]
fn a_directory_for_each_value_as_hive_names_them() {
    let directory = tempfile::tempdir().unwrap();
    let records = [
        json!({ "country": "NL", "day": "2026-01-01", "n": 1 }),
        json!({ "country": "NL", "day": "2026-01-02", "n": 2 }),
        json!({ "country": null, "day": "a/b=c%:", "n": 3 }),
        json!({ "day": 7, "n": 4 }),
        json!({ "country": true, "day": -0.5, "n": 5 }),
        json!({ "country": "", "day": "..", "n": 6 }),
        json!({ "country": "é😀 x", "day": 1e21, "n": 7 }),
        json!({ "country": "NL", "day": "2026-01-01", "n": 8 }),
    ];
    let options = json!({ "partitionBy": ["country", "day"] });
    let reports = write(&directory_spec(directory.path(), &options), &records, 1).unwrap();
    assert_eq!((reports[0].records, reports[0].files), (8, 7));
    let n = |numbers: &[u64]| numbers.iter().map(|n| json!({ "n": n })).collect::<Vec<_>>();
    let expected = [
        ("country=NL/day=2026-01-01", n(&[1, 8])),
        ("country=NL/day=2026-01-02", n(&[2])),
        ("country=__HIVE_DEFAULT_PARTITION__/day=a%2Fb%3Dc%25%3A", n(&[3])),
        ("country=__HIVE_DEFAULT_PARTITION__/day=7", n(&[4])),
        ("country=true/day=-0.5", n(&[5])),
        ("country=__HIVE_DEFAULT_PARTITION__/day=..", n(&[6])),
        ("country=é😀 x/day=1e+21", n(&[7])),
    ];
    let expected: BTreeMap<String, Vec<Value>> = expected
        .into_iter()
        .map(|(name, records)| (name.to_owned(), records))
        .collect();
    assert_eq!(by_directory(directory.path()), expected);
}

#[test]
fn the_fields_stay_when_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let records = [
        json!({ "a": "x", "b": { "a": 1 } }),
        json!({ "a": null, "b": { "a": 2 } }),
        json!({ "b": null }),
    ];
    let options = json!({ "partitionBy": ["a"], "keepPartitionFields": true });
    write(&directory_spec(directory.path(), &options), &records, 1).unwrap();
    let read: Vec<Value> = by_directory(directory.path()).into_values().flatten().collect();
    assert_eq!(read, [records[1].clone(), records[2].clone(), records[0].clone()]);
}

#[test]
fn dates_and_columns_around_the_field_are_those_of_the_batch() {
    let directory = tempfile::tempdir().unwrap();
    let spec = directory_spec(directory.path(), &json!({ "partitionBy": ["d", "i"] }));
    let mut sink = open_sink(&spec, SourceSplit::WHOLE, Arc::default()).unwrap();
    let batch = Batch::of_rows(2)
        .texts(&["key", "key"])
        .texts(&["before", "é"])
        .f64s(&[0.0, f64::NAN])
        .presence(&[0, 1])
        .f64s(&[1.5, 0.0])
        .bools(&[1, 0])
        .i32s(&[-3, 4])
        .texts(&["[1]", "2"]);
    let layout = r#"{"key":"str","row":{"rec":[["s","str"],["d","date"],["r",{"rec":[["x","f64?"],["y","bool"]]}],["i","i32"],["j","json"]]}}"#;
    batch.write(layout, &mut *sink).unwrap();
    sink.commit().unwrap();
    let expected = [
        (
            "d=1970-01-01T00%3A00%3A00.000Z/i=-3".to_owned(),
            vec![json!({ "s": "before", "r": { "x": 1.5, "y": true }, "j": [1] })],
        ),
        (
            "d=__HIVE_DEFAULT_PARTITION__/i=4".to_owned(),
            vec![json!({ "s": "é", "r": { "x": null, "y": false }, "j": 2 })],
        ),
    ];
    assert_eq!(by_directory(directory.path()), BTreeMap::from(expected));
}

#[test]
fn what_cannot_name_a_directory_is_an_error_of_the_record_and_leaves_nothing() {
    for (records, what) in [
        (
            vec![json!({ "a": "x" }), json!({ "a": { "b": 1 } })],
            "record 2 has a field a that is an object or array",
        ),
        (
            vec![json!({ "a": [1] })],
            "record 1 has a field a that is an object or array",
        ),
        (
            vec![json!({ "a": 1 }), json!({ "a": "x" }), json!({ "a": {} })],
            "record 3 has a field a that is an object or array",
        ),
        (vec![json!("text")], "record 1 is no object"),
        (vec![json!({ "a": 1 }), json!(null)], "record 2 is no object"),
        (vec![json!({ "a": 1 }), json!(2)], "record 2 is no object"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let error = write_error(
            &directory_spec(directory.path(), &json!({ "partitionBy": ["a"] })),
            &records,
            1,
        );
        assert_eq!(error.code, ErrorCode::FormatRecord);
        assert!(error.message.contains(what), "{}", error.message);
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            0,
            "no file and no directory is left"
        );
    }
}

#[test]
fn an_unpaired_surrogate_and_a_name_that_is_too_long_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let spec = directory_spec(directory.path(), &json!({ "partitionBy": ["a"] }));
    let mut sink = open_sink(&spec, SourceSplit::WHOLE, Arc::default()).unwrap();
    let batch = Batch::of_rows(1).strings(&[&[0xD800]]);
    let error = batch
        .write(r#"{"row":{"rec":[["a","str"]]}}"#, &mut *sink)
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatRecord);
    assert!(error.message.contains("surrogate"), "{}", error.message);
    let error = write_error(&spec, &[json!({ "a": "x".repeat(300) })], 1);
    assert_eq!(error.code, ErrorCode::IoWrite);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn parquet_and_arrow_files_have_the_other_columns() {
    for kind in ["parquet", "arrow"] {
        let directory = tempfile::tempdir().unwrap();
        let path = format!("{}/", directory.path().display());
        let records: Vec<Value> = (0..100)
            .map(|n| json!({ "k": n % 3, "n": n, "s": format!("s{n}") }))
            .collect();
        let sink = spec(kind, path.as_ref(), &json!({ "partitionBy": ["k"] }));
        write(&sink, &records, 2).unwrap();
        let mut read = Vec::new();
        for name in names(directory.path()) {
            let (folder, _) = name.split_once('/').unwrap();
            let file = spec(kind, &directory.path().join(&name), &json!({}));
            for row in support::read(&file).rows {
                read.push((folder.to_owned(), row));
            }
        }
        assert_eq!(read.len(), 100);
        for n in 0..100_u32 {
            let row = support::object([
                ("n", support::number(n.into())),
                ("s", support::text(&format!("s{n}"))),
            ]);
            assert!(read.contains(&(format!("k={}", n % 3), row)), "{n}");
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let scalars = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        prop::sample::select(vec![0.5, -1e300, 1e21]).prop_map(Value::from),
        prop::sample::select(vec![
            "", "a", "A", "a/b", "=", "%41", "..", "é", "😀", "NL ", "\u{1}", "x:y"
        ])
        .prop_map(Value::from),
    ];
    scalars.boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_files_together_hold_exactly_the_records(
        fields in prop::collection::vec((values(), prop::option::of(values()), values()), 0..60),
        instances in 1_u32..4,
        batch_rows in 1_usize..20,
        keeps in any::<bool>(),
        most_open in 1_usize..4,
        most_rows in prop::option::of(1_u64..5),
        compression in prop::sample::select(vec!["none", "gzip", "zstd"]),
    ) {
        let records: Vec<Value> = fields
            .iter()
            .enumerate()
            .map(|(n, (a, b, c))| {
                let mut record = Map::from_iter([("a".to_owned(), a.clone()), ("c".to_owned(), c.clone()), ("n".to_owned(), n.into())]);
                if let Some(b) = b {
                    record.insert("b".to_owned(), b.clone());
                }
                record.into()
            })
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let mut options = json!({ "partitionBy": ["b", "a"], "keepPartitionFields": keeps, "maxOpenFiles": most_open, "compression": compression });
        if let Some(most) = most_rows {
            options["maxFileRows"] = json!(most);
        }
        let reports = write_batches(&directory_spec(directory.path(), &options), &records, instances, batch_rows).unwrap();
        prop_assert_eq!(reports.iter().map(|report| report.records).sum::<u64>(), records.len() as u64);

        let mut found = vec![None; records.len()];
        for (name, content) in tree(directory.path()) {
            let (folder, _) = name.rsplit_once('/').unwrap();
            let lines = records_of(&name, &content);
            prop_assert!(most_rows.is_none_or(|most| lines.len() as u64 <= most));
            for line in lines {
                let n = usize::try_from(line["n"].as_u64().unwrap()).unwrap();
                prop_assert!(found[n].replace((folder.to_owned(), line)).is_none(), "record {} is there twice", n);
            }
        }
        for (n, record) in records.iter().enumerate() {
            let (folder, line) = found[n].clone().unwrap();
            prop_assert_eq!(&folder, &format!("b={}/a={}", hive(record.get("b")), hive(record.get("a"))));
            let mut expected = record.clone();
            if !keeps {
                expected.as_object_mut().unwrap().retain(|name, _| name != "a" && name != "b");
            }
            prop_assert_eq!(line, expected);
        }
    }
}

/// The name that Hive gives a value, worked out in another way.
fn hive(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.as_f64() == Some(1e21) => "1e+21".to_owned(),
        Some(Value::Number(number)) if number.as_f64() == Some(-1e300) => "-1e+300".to_owned(),
        Some(other) => other.to_string(),
    };
    if text.is_empty() {
        return "__HIVE_DEFAULT_PARTITION__".to_owned();
    }
    let escape = |char: char| match char {
        '/' => "%2F".to_owned(),
        '=' => "%3D".to_owned(),
        '%' => "%25".to_owned(),
        ':' => "%3A".to_owned(),
        '\u{1}' => "%01".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}
