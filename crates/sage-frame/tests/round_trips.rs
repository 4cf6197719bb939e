//! Batches survive images, frames and bytes, with every kind of column and every encoding.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use sage_frame::{BatchView, Frame, FrameKind, FrameMeta, Layout, LayoutRegistry, StrColumn, StringEncoding};
use sage_types::ErrorCode;
use support::{Aligned, Model, Val};

const META: FrameMeta = FrameMeta {
    kind: FrameKind::Data,
    epoch: 7,
    max_event_time: 1_700_000_000_123.5,
    watermark: -3.25,
};

fn register(model: &Model) -> (LayoutRegistry, u32) {
    let registry = LayoutRegistry::new();
    registry.intern(r#"{"row":"nil?"}"#).unwrap();
    let layout = Layout::new(model.key.clone(), model.row.clone()).unwrap();
    let id = registry.intern(&layout.text).unwrap().0;
    (registry, id)
}

fn expected(model: &Model) -> (Vec<Val>, Vec<Val>) {
    let keys = if model.key.is_some() {
        model.keys.clone()
    } else {
        Vec::new()
    };
    (keys, model.rows.clone())
}

proptest! {
    #[test]
    fn values_survive_image_frame_bytes_and_image(model in support::model(proptest::option::of(support::key_node()), 20)) {
        let (registry, id) = register(&model);
        let image = model.image(id);

        let view = BatchView::from_image(image.bytes(), &registry).unwrap();
        prop_assert_eq!(support::read_all(&view), expected(&model));

        let frame = Frame::from_view(&view, META).unwrap();
        prop_assert_eq!(frame.meta(), META);
        prop_assert_eq!(frame.rows(), model.rows.len());
        prop_assert_eq!(frame.layout_id().0, id);
        prop_assert_eq!(support::read_all(&frame.view(&registry).unwrap()), expected(&model));

        let wire = Frame::from_bytes(frame.as_bytes()).unwrap();
        prop_assert_eq!(wire.meta(), META);
        prop_assert_eq!(wire.byte_len(), frame.byte_len());
        prop_assert_eq!(support::read_all(&wire.view(&registry).unwrap()), expected(&model));

        // The oracle writes images without gaps, in the order of the buffers: the same bytes come back.
        for bytes in [frame.image_len(), view.image_len(), wire.image_len()] {
            prop_assert_eq!(bytes, image.bytes().len());
        }
        let mut out = Aligned::new(&vec![0xff; image.bytes().len() + 16]);
        prop_assert_eq!(frame.write_image(out.bytes_mut()), Ok(image.bytes().len()));
        prop_assert_eq!(&out.bytes()[..image.bytes().len()], image.bytes());
        let mut out = Aligned::zeroed(image.bytes().len());
        prop_assert_eq!(view.write_image(out.bytes_mut()), Ok(image.bytes().len()));
        prop_assert_eq!(out.bytes(), image.bytes());
        let mut small = vec![1; image.bytes().len() - 1];
        prop_assert_eq!(frame.write_image(&mut small).unwrap_err().needed_bytes, image.bytes().len());
        prop_assert!(small.iter().all(|&byte| byte == 1));
    }

    #[test]
    fn rows_of_text_are_cut_the_same_in_every_encoding(rows in proptest::collection::vec(support::text(), 0..40)) {
        let all = rows.concat();
        let ends: Vec<u32> = rows.iter().scan(0, |end, row| { *end += u32::try_from(row.len()).unwrap(); Some(*end) }).collect();
        for (number, encoding) in [(0, StringEncoding::Ascii), (1, StringEncoding::Utf8), (2, StringEncoding::Utf16)] {
            if number < support::narrowest(&all) {
                continue;
            }
            let data = support::encode_text(&all, number);
            let column = StrColumn { ends: &ends, data: &data, encoding }.wtf8();
            let oracle: Vec<Vec<u8>> = rows.iter().map(|row| support::wtf8(row)).collect();
            prop_assert!(column.rows().eq(oracle.iter().map(Vec::as_slice)));
            prop_assert_eq!(column.is_well_formed(), rows.iter().all(|row| String::from_utf16(row).is_ok()));
            for (index, row) in rows.iter().enumerate() {
                prop_assert_eq!(column.row_str(index).map(str::to_owned), String::from_utf16(row).ok());
            }
        }
    }
}

#[test]
fn two_halves_of_a_character_in_two_rows_stay_two_halves() {
    // Given "a\ud83d" and "\ude00b" in one column: the concatenation is well-formed, so JavaScript writes UTF-8.
    let data = "a😀b".as_bytes();
    let column = StrColumn {
        ends: &[2, 2, 4],
        data,
        encoding: StringEncoding::Utf8,
    };

    let rows = column.wtf8();

    assert_eq!(rows.row(0), b"a\xed\xa0\xbd");
    assert_eq!(rows.row(1), b"");
    assert_eq!(rows.row(2), b"\xed\xb8\x80b");
    assert!(!rows.is_well_formed());
    assert_eq!(rows.row(3), b"");
}

#[test]
fn a_control_frame_carries_its_meta_and_no_rows() {
    let meta = FrameMeta {
        kind: FrameKind::Barrier,
        epoch: u64::MAX,
        ..FrameMeta::default()
    };
    let frame = Frame::from_bytes(Frame::control(meta).as_bytes()).unwrap();
    assert_eq!(frame.meta(), meta);
    assert_eq!(frame.rows(), 0);
    assert_eq!(
        frame.view(&LayoutRegistry::new()).unwrap_err().code,
        ErrorCode::FormatBatch
    );
}

#[test]
fn a_clone_shares_the_memory() {
    let frame = Frame::control(FrameMeta::default());
    assert_eq!(frame.clone().as_bytes().as_ptr(), frame.as_bytes().as_ptr());
}

#[test]
fn recycled_memory_does_not_leak_into_the_gaps_of_a_frame() {
    // Given: pool memory full of something else.
    let registry = LayoutRegistry::new();
    let layout = |text: &str| registry.get(registry.intern(text).unwrap()).unwrap();
    let full = layout(r#"{"row":"f64"}"#);
    let ones = Aligned::new(&[u8::MAX; 400]);
    let view = BatchView::from_parts(full, 0.into(), 50, [ones.bytes()], []).unwrap();
    drop(Frame::from_view(&view, META).unwrap());

    let narrow = layout(r#"{"row":{"rec":[["a","bool"],["b","bool"]]}}"#);
    let view = BatchView::from_parts(narrow, 1.into(), 3, [&[1, 1, 1][..], &[1, 1, 1][..]], []).unwrap();
    let frame = Frame::from_view(&view, META).unwrap();

    assert!(
        frame
            .as_bytes()
            .ends_with(&[1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0])
    );
}
