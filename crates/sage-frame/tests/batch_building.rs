//! Native readers fill batches value by value.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::sync::Arc;

use proptest::prelude::*;
use sage_frame::{
    BatchBuilder, BatchView, ColumnData, Found, Frame, FrameMeta, Layout, LayoutRegistry, LeafKind, Mismatch,
    NodeIndex, PlannedKind, Widening,
};
use support::Val;

/// Pushes what a row has below a node, as `(node, value)` in an order that the caller chose.
fn pushes(layout: &Layout, node: NodeIndex, value: &Val, out: &mut Vec<(NodeIndex, Val)>) {
    match value {
        // The builder says by itself that something is missing, unless it is the record itself.
        Val::Absent(3) if node != layout.row_node() => {}
        Val::Many(values) => {
            out.push((node, Val::Many(Vec::new())));
            for (&child, value) in layout.nodes()[node].children.iter().zip(values) {
                pushes(layout, child, value, out);
            }
        }
        leaf => out.push((node, leaf.clone())),
    }
}

fn push(builder: &mut BatchBuilder, node: NodeIndex, value: &Val) -> Result<(), Mismatch> {
    let kind = builder.layout().nodes()[node].kind;
    match (value, kind) {
        (Val::F64(bits), PlannedKind::Leaf(LeafKind::Date)) => builder.push_date(node, f64::from_bits(*bits)),
        (Val::F64(bits), _) => builder.push_f64(node, f64::from_bits(*bits)),
        (Val::I32(whole), _) => builder.push_i32(node, *whole),
        (Val::Bool(boolean), _) => builder.push_bool(node, *boolean),
        (Val::Text(units), PlannedKind::Leaf(LeafKind::Json)) => {
            builder.push_json(node, &String::from_utf16_lossy(units))
        }
        (Val::Text(units), _) => match String::from_utf16(units) {
            Ok(text) => builder.push_str(node, &text),
            Err(_) => builder.push_utf16(node, units),
        },
        (Val::Bytes(bytes), _) => builder.push_key(node, bytes),
        // The tokens of a value are the builder's: a number of its own for each pool.
        (Val::Any(_, pool), _) => builder.push_any(node, |tokens| tokens.utf16(pool)),
        (Val::Absent(1), _) => builder.push_null(node),
        (Val::Absent(2), _) => builder.push_undefined(node),
        (Val::Absent(_), _) => builder.push_missing(node),
        (Val::Many(_), PlannedKind::Record) => builder.push_record(node),
        (Val::Many(_), _) => builder.push_tuple(node),
    }
}

/// What reading gives for a pushed value: JSON texts are well-formed, and tokens are those of a string.
fn as_read(layout: &Layout, node: NodeIndex, value: &Val) -> Val {
    match (value, layout.nodes()[node].kind) {
        (Val::Text(units), PlannedKind::Leaf(LeafKind::Json)) => {
            Val::Text(String::from_utf16_lossy(units).encode_utf16().collect())
        }
        (Val::Any(_, pool), _) => {
            let length = u32::try_from(pool.len()).unwrap().to_le_bytes();
            Val::Any([&[6], &length[..]].concat(), pool.clone())
        }
        (Val::Many(values), _) => {
            let children = &layout.nodes()[node].children;
            Val::Many(
                children
                    .iter()
                    .zip(values)
                    .map(|(&child, value)| as_read(layout, child, value))
                    .collect(),
            )
        }
        (other, _) => other.clone(),
    }
}

proptest! {
    #[test]
    fn what_is_pushed_is_in_the_frame(
        model in support::model(proptest::option::of(support::key_node()), 12),
        order in any::<u64>(),
        nonsense in proptest::collection::vec(any::<bool>(), 12),
    ) {
        let registry = LayoutRegistry::new();
        let layout = Arc::new(Layout::new(model.key.clone(), model.row.clone()).unwrap());
        let id = registry.intern_layout(Arc::clone(&layout)).unwrap();
        let mut builder = BatchBuilder::new(Arc::clone(&layout));
        // Twice, so that a builder is seen to be empty after the first time.
        for _ in 0..2 {
            for (index, (key, row)) in model.keys.iter().zip(&model.rows).enumerate() {
                let mut all = Vec::new();
                if let Some(node) = layout.key_node() {
                    pushes(&layout, node, key, &mut all);
                }
                pushes(&layout, layout.row_node(), row, &mut all);
                if nonsense[index] {
                    // A row that is given up in the middle leaves nothing.
                    for (node, value) in &all[..all.len() / 2] {
                        push(&mut builder, *node, value).unwrap();
                    }
                    builder.abandon_row();
                }
                // Fields come in any order, but each object or array before its contents (they have higher numbers).
                let rotation = usize::try_from(order % 7).unwrap();
                let mut leaves: Vec<_> = all.iter().filter(|(_, value)| !matches!(value, Val::Many(_))).collect();
                if !leaves.is_empty() {
                    let rotation = rotation % leaves.len();
                    leaves.rotate_left(rotation);
                }
                for (node, value) in all.iter().filter(|(_, value)| matches!(value, Val::Many(_))).chain(leaves) {
                    push(&mut builder, *node, value).unwrap();
                    if nonsense[(index + 1) % nonsense.len()] && !matches!(value, Val::Many(_)) {
                        // The same field again: the last one counts.
                        push(&mut builder, *node, value).unwrap();
                    }
                    prop_assert!(builder.has_value(*node));
                }
                builder.end_row().unwrap();
            }
            prop_assert_eq!(builder.rows(), model.rows.len());
            let frame = builder.finish(id, FrameMeta::default()).unwrap();

            let wire = Frame::from_bytes(frame.as_bytes()).unwrap();
            let (keys, rows) = support::read_all(&wire.view(&registry).unwrap());
            let expected: Vec<Val> = model.rows.iter().map(|row| as_read(&layout, layout.row_node(), row)).collect();
            prop_assert_eq!(rows, expected);
            if layout.key_node().is_some() {
                prop_assert_eq!(keys, model.keys.clone());
            }
        }
    }
}

fn builder(layout: &str) -> BatchBuilder {
    BatchBuilder::new(Arc::new(Layout::parse(layout).unwrap()))
}

/// Finishes and gives the column of the record, which is one leaf, to `check`.
fn finish(mut builder: BatchBuilder, check: impl FnOnce(&BatchView<'_>, ColumnData<'_>)) {
    let frame = builder.finish(0.into(), FrameMeta::default()).unwrap();
    let view = frame.view(&LayoutRegistry::new()).unwrap();
    check(&view, view.column("").unwrap().data);
}

#[test]
fn a_reader_that_meets_another_type_flushes_widens_and_goes_on() {
    // Given a reader of numbers.
    let registry = LayoutRegistry::new();
    let narrow = Arc::new(Layout::parse(r#"{"row":{"rec":[["a","i32"],["b","str"]]}}"#).unwrap());
    let (a, b) = (narrow.node_at("a").unwrap(), narrow.node_at("b").unwrap());
    let mut builder = BatchBuilder::new(Arc::clone(&narrow));
    builder.push_i32(a, 1).unwrap();
    builder.push_str(b, "one").unwrap();
    builder.end_row().unwrap();

    // When a row has 1.5, after its other field was pushed.
    builder.push_str(b, "one and a half").unwrap();
    let mismatch = builder.push_f64(a, 1.5).unwrap_err();

    // Then the rows before are a frame, and the widened layout takes the row.
    assert_eq!(
        mismatch,
        Mismatch {
            node: a,
            found: Found::Value(LeafKind::F64)
        }
    );
    let id = registry.intern_layout(Arc::clone(&narrow)).unwrap();
    let before = builder.finish(id, FrameMeta::default()).unwrap();
    assert_eq!(before.rows(), 1);
    let wide = narrow.with_widened(mismatch.node, &mismatch.found_node(), Widening::Json);
    assert_eq!(&*wide.text, r#"{"row":{"rec":[["a","f64"],["b","str"]]}}"#);
    let mut builder = BatchBuilder::new(Arc::new(wide));
    builder.push_f64(a, 1.5).unwrap();
    builder.push_str(b, "one and a half").unwrap();
    builder.end_row().unwrap();
    assert_eq!(builder.rows(), 1);
    assert_eq!(builder.variable_bytes(), 14);
}

#[test]
fn a_missing_field_is_a_mismatch_of_the_outermost_node_that_is_missing() {
    let layout = r#"{"row":{"rec":[["a",{"rec":[["x","f64"],["y","f64?"]]}],["b","str"]]}}"#;
    let mut builder = builder(layout);
    let at = |path| Layout::parse(layout).unwrap().node_at(path).unwrap();

    builder.push_str(at("b"), "").unwrap();
    assert_eq!(
        builder.end_row().unwrap_err(),
        Mismatch {
            node: at("a"),
            found: Found::Absent
        }
    );
    builder.push_record(at("a")).unwrap();
    assert_eq!(
        builder.end_row().unwrap_err(),
        Mismatch {
            node: at("a.x"),
            found: Found::Absent
        }
    );
    builder.push_f64(at("a.x"), 1.0).unwrap();
    builder.end_row().unwrap();
    assert_eq!(builder.push_null(at("b")).unwrap_err().found, Found::Absent);
    assert_eq!(builder.push_tuple(at("a")).unwrap_err().found, Found::Tuple);
    assert_eq!(builder.push_record(at("b")).unwrap_err().found, Found::Record);
    assert_eq!(builder.rows(), 1);
}

#[test]
fn an_int_column_takes_numbers_that_are_whole_and_nothing_else() {
    let mut builder = builder(r#"{"row":"i32"}"#);
    for good in [0.0, 7.0, -2_147_483_648.0, 2_147_483_647.0] {
        builder.push_f64(0, good).unwrap();
        builder.end_row().unwrap();
    }
    for bad in [-0.0, 0.5, 2_147_483_648.0, f64::NAN, f64::INFINITY] {
        builder.push_f64(0, bad).unwrap_err();
    }
    finish(builder, |_, data| {
        assert!(matches!(data, ColumnData::I32([0, 7, i32::MIN, i32::MAX])));
    });
}

#[test]
fn a_json_column_takes_every_value_that_json_has() {
    let mut builder = builder(r#"{"row":"json"}"#);
    builder.push_f64(0, 0.5).unwrap();
    builder.end_row().unwrap();
    builder.push_f64(0, 3.0).unwrap();
    builder.end_row().unwrap();
    builder.push_bool(0, true).unwrap();
    builder.end_row().unwrap();
    builder.push_str(0, "say \"hi\"\u{1}").unwrap();
    builder.end_row().unwrap();
    builder.push_null(0).unwrap();
    builder.end_row().unwrap();
    builder.push_json(0, "[1,2]").unwrap();
    builder.end_row().unwrap();
    // What JSON has no text for asks for `any`, so that a reader that widens makes progress.
    assert_eq!(
        builder.push_f64(0, f64::NAN).unwrap_err().found,
        Found::Value(LeafKind::Any)
    );
    assert_eq!(
        builder.push_date(0, 0.0).unwrap_err().found,
        Found::Value(LeafKind::Any)
    );
    assert_eq!(
        builder.push_utf16(0, &[0xd800]).unwrap_err().found,
        Found::Value(LeafKind::Any)
    );
    assert_eq!(builder.push_undefined(0).unwrap_err().found, Found::Absent);
    finish(builder, |view, data| {
        let ColumnData::Json(column) = data else {
            panic!("{data:?}")
        };
        let texts = column.wtf8();
        let texts: Vec<&str> = (0..view.rows()).map(|row| texts.row_str(row).unwrap()).collect();
        assert_eq!(
            texts,
            ["0.5", "3", "true", r#""say \"hi\"\u0001""#, "null", "[1,2]"]
        );
    });
}

#[test]
fn an_any_column_holds_tokens_and_the_strings_they_name() {
    let mut builder = builder(r#"{"row":"any"}"#);
    builder
        .push_any(0, |tokens| {
            tokens.object(2);
            tokens.name("é");
            tokens.array(3);
            tokens.null();
            tokens.bool(true);
            tokens.i32(-2);
            tokens.name("when");
            tokens.date(1.5);
        })
        .unwrap();
    builder.end_row().unwrap();
    builder.push_str(0, "x😀").unwrap();
    builder.end_row().unwrap();
    builder.push_undefined(0).unwrap();
    builder.end_row().unwrap();
    builder.push_f64(0, 0.0).unwrap();
    builder.end_row().unwrap();
    finish(builder, |_, data| {
        let ColumnData::Any { tokens, pool } = data else {
            panic!("{data:?}")
        };
        let object: [&[u8]; 4] = [
            &[14, 2, 0, 0, 0, 1, 0, 0, 0],
            &[7, 3, 0, 0, 0, 0, 3],
            &[5, 0xfe, 0xff, 0xff, 0xff],
            &[4, 0, 0, 0, 9],
        ];
        let date = 1.5_f64.to_le_bytes();
        assert_eq!(tokens.row(0), [&object.concat()[..], &date[..]].concat());
        assert_eq!(tokens.row(1), [6, 3, 0, 0, 0]);
        assert_eq!(tokens.row(2), [1]);
        assert_eq!(tokens.row(3), [4, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(pool.ends, [5, 8, 8, 8]);
        assert_eq!(pool.data, "éwhenx😀".as_bytes());
    });
}
