//! Images and frames that somebody damaged are refused, or are a batch of other values; nothing panics.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use sage_frame::{BatchView, Frame, FrameMeta, KeyColumn, Layout, LayoutRegistry, partition};
use sage_types::{ErrorCode, KeyGroups};
use support::{Aligned, Model};

/// Does everything with a batch that the crate can do.
fn use_everything(view: &BatchView<'_>, registry: &LayoutRegistry) {
    support::read_all(view);
    if let Ok(keys) = KeyColumn::new(view) {
        let mut scratch = Vec::new();
        for row in 0..=view.rows() {
            keys.canonical(row, &mut scratch);
        }
        let _ = partition::by_key(view, &KeyGroups::new(128, 3), FrameMeta::default()).unwrap();
    }
    let _ = partition::round_robin(view, 3, &mut 0, FrameMeta::default()).unwrap();
    let frame = Frame::from_view(view, FrameMeta::default()).unwrap();
    Frame::from_bytes(frame.as_bytes())
        .unwrap()
        .view(registry)
        .unwrap();
}

#[derive(Debug, Clone)]
enum Damage {
    Byte(proptest::sample::Index, u8),
    /// A 32-bit word near the start, where counts, offsets and lengths are.
    Word(usize, u32),
    Cut(proptest::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let edge = prop_oneof![
        any::<u32>(),
        Just(u32::MAX),
        Just(0x7fff_ffff),
        Just(0x8000_0000),
        (0..64_u32),
        (0..40_u32).prop_map(|eights| eights * 8),
    ];
    prop_oneof![
        3 => (any::<proptest::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        3 => (0..40_usize, edge).prop_map(|(at, word)| Damage::Word(at, word)),
        1 => any::<proptest::sample::Index>().prop_map(Damage::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, damages: &[Damage]) {
    for damage in damages {
        match damage {
            _ if bytes.is_empty() => {}
            Damage::Byte(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Damage::Word(at, word) => {
                if let Some(place) = bytes.get_mut(at * 4..at * 4 + 4) {
                    place.copy_from_slice(&word.to_le_bytes());
                }
            }
            Damage::Cut(at) => {
                let at = at.index(bytes.len());
                bytes.truncate(at);
            }
        }
    }
}

fn registry_for(model: &Model) -> LayoutRegistry {
    let registry = LayoutRegistry::new();
    registry
        .intern(&Layout::new(model.key.clone(), model.row.clone()).unwrap().text)
        .unwrap();
    // Damage may change the layout id to this one.
    registry
        .intern(r#"{"key":"str","row":{"rec":[["a","any?"],["b","bool"]]}}"#)
        .unwrap();
    registry
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_image_is_refused_or_is_a_batch(
        model in support::model(proptest::option::of(support::key_node()), 8),
        damages in proptest::collection::vec(damage(), 1..4),
    ) {
        let registry = registry_for(&model);
        let mut bytes = model.image(0).bytes().to_vec();
        apply(&mut bytes, &damages);
        let image = Aligned::new(&bytes);
        match BatchView::from_image(image.bytes(), &registry) {
            Ok(view) => use_everything(&view, &registry),
            Err(error) => prop_assert_eq!(error.code, ErrorCode::FormatBatch),
        }
    }

    #[test]
    fn a_damaged_frame_is_refused_or_is_a_frame(
        model in support::model(proptest::option::of(support::key_node()), 8),
        damages in proptest::collection::vec(damage(), 1..4),
    ) {
        let registry = registry_for(&model);
        let image = model.image(0);
        let view = BatchView::from_image(image.bytes(), &registry).unwrap();
        let mut bytes = Frame::from_view(&view, FrameMeta::default()).unwrap().as_bytes().to_vec();
        apply(&mut bytes, &damages);
        match Frame::from_bytes(&bytes).and_then(|frame| {
            use_everything(&frame.view(&registry)?, &registry);
            let mut image = Aligned::zeroed(frame.image_len());
            frame.write_image(image.bytes_mut()).unwrap();
            Ok(())
        }) {
            Ok(()) => {}
            Err(error) => prop_assert_eq!(error.code, ErrorCode::FormatBatch),
        }
    }

    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let registry = LayoutRegistry::new();
        registry.intern(r#"{"row":{"rec":[]}}"#).unwrap();
        let image = Aligned::new(&bytes);
        if let Ok(view) = BatchView::from_image(image.bytes(), &registry) {
            use_everything(&view, &registry);
        }
        if let Ok(frame) = Frame::from_bytes(&bytes) {
            let _ = frame.view(&registry);
        }
    }
}

/// An image of one text column, and what is wrong with it.
fn check(layout: &str, rows: usize, buffers: &[&[u8]], encoding: Option<u8>, why: &str) {
    let registry = LayoutRegistry::new();
    let id = registry.intern(layout).unwrap();
    let copies: Vec<Aligned> = buffers.iter().map(|buffer| Aligned::new(buffer)).collect();
    let encodings =
        encoding.map(|number| sage_frame::StringEncoding::from_number(u32::from(number)).unwrap());
    let view = BatchView::from_parts(
        registry.get(id).unwrap(),
        id,
        rows,
        copies.iter().map(Aligned::bytes),
        encodings,
    );
    match view {
        Ok(_) => assert_eq!(why, "", "{layout} {buffers:?}"),
        Err(error) => {
            assert_eq!(error.code, ErrorCode::FormatBatch);
            assert!(
                !why.is_empty() && error.message.contains(why),
                "{layout} {buffers:?}: {error}"
            );
        }
    }
}

#[test]
fn each_rule_of_the_format_is_enforced() {
    let text = r#"{"row":"str"}"#;
    let ends = |ends: &[u32]| ends.iter().flat_map(|end| end.to_le_bytes()).collect::<Vec<u8>>();
    check(text, 2, &[&ends(&[1, 3]), b"abc"], Some(0), "");
    check(text, 2, &[&ends(&[1, 3]), b"ab"], Some(0), "longer or shorter");
    check(text, 2, &[&ends(&[3, 1]), b"a"], Some(0), "go back");
    check(text, 2, &[&ends(&[1]), b"a"], Some(0), "one value for each row");
    check(text, 1, &[&ends(&[2]), "é".as_bytes()], Some(0), "above 127");
    check(text, 1, &[&ends(&[1]), "é".as_bytes()], Some(1), "");
    check(
        text,
        1,
        &[&ends(&[2]), "é".as_bytes()],
        Some(1),
        "longer or shorter",
    );
    check(text, 1, &[&ends(&[2]), "😀".as_bytes()], Some(1), "");
    check(text, 1, &[&ends(&[1]), b"\xff"], Some(1), "not well-formed");
    check(
        text,
        1,
        &[&ends(&[1]), b"\xed\xa0\xbd"],
        Some(1),
        "not well-formed",
    );
    check(text, 1, &[&ends(&[1]), b"\x3d\xd8"], Some(2), "");
    check(text, 1, &[&ends(&[1]), b"\x3d"], Some(2), "half a unit");
    check(text, 0, &[b"", b"a"], Some(0), "longer or shorter");
    check(
        text,
        1,
        &[&ends(&[0]), b""],
        None,
        "number of buffers or encodings",
    );
    check(r#"{"row":"bool?"}"#, 2, &[&[0, 3], &[1, 0]], None, "");
    check(r#"{"row":"bool?"}"#, 2, &[&[0, 4], &[1, 0]], None, "cannot have");
    check(r#"{"row":"bool"}"#, 1, &[&[2]], None, "cannot have");
    check(r#"{"row":"f64"}"#, 1, &[&[0; 7]], None, "one value for each row");
    check(
        r#"{"row":"f64"}"#,
        1,
        &[&[0; 8], &[0; 8]],
        None,
        "number of buffers",
    );
    check(
        r#"{"key":"bytes","row":"nil?"}"#,
        1,
        &[&ends(&[2]), b"\x05\xff", &[1]],
        None,
        "",
    );
}

#[test]
fn an_image_that_does_not_start_at_a_multiple_of_8_is_refused() {
    let image = Aligned::zeroed(64);
    let error = BatchView::from_image(&image.bytes()[4..], &LayoutRegistry::new()).unwrap_err();
    assert!(error.message.contains("multiple of 8"), "{error}");
}

#[test]
fn an_image_of_an_unknown_layout_is_refused() {
    let mut image = Aligned::zeroed(64);
    image.bytes_mut()[4] = 9;
    let error = BatchView::from_image(image.bytes(), &LayoutRegistry::new()).unwrap_err();
    assert!(error.message.contains("there is no layout 9"), "{error}");
}
