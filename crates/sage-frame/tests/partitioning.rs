//! Partitioning keeps the order, loses nothing, and sends each row where its key belongs.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use sage_frame::{BatchView, Frame, FrameMeta, KeyColumn, Layout, LayoutRegistry, hash_keys, partition};
use sage_types::{ErrorCode, KeyGroups};
use support::{Model, Val};

fn view_of<'a>(model: &Model, image: &'a support::Aligned, registry: &LayoutRegistry) -> BatchView<'a> {
    let layout = Layout::new(model.key.clone(), model.row.clone()).unwrap();
    assert_eq!(registry.intern(&layout.text).unwrap().0, 0);
    BatchView::from_image(image.bytes(), registry).unwrap()
}

fn read_frames(frames: &[Option<Frame>], registry: &LayoutRegistry) -> Vec<(Vec<Val>, Vec<Val>)> {
    let read = |frame: &Option<Frame>| {
        frame.as_ref().map_or_else(Default::default, |frame| {
            assert!(frame.rows() > 0, "no frame rather than an empty one");
            // Through bytes, so that what was gathered is validated too.
            let wire = Frame::from_bytes(frame.as_bytes()).unwrap();
            support::read_all(&wire.view(registry).unwrap())
        })
    };
    frames.iter().map(read).collect()
}

proptest! {
    #[test]
    fn each_row_goes_to_the_instance_of_its_key_in_order(
        model in support::model(support::key_node().prop_map(Some), 40),
        key_groups in 1..200_u32,
        parallelism in 1..6_u32,
    ) {
        let registry = LayoutRegistry::new();
        let image = model.image(0);
        let view = view_of(&model, &image, &registry);

        let frames = partition::by_key(&view, &KeyGroups::new(key_groups, parallelism), FrameMeta::default()).unwrap();

        // The oracle: the specification's formulas over naive canonical bytes, row by row.
        let mut expected = vec![(Vec::new(), Vec::new()); parallelism as usize];
        for (key, row) in model.keys.iter().zip(&model.rows) {
            let hash = xxhash_rust::xxh3::xxh3_64(&support::canonical(key));
            let group = hash % u64::from(key_groups);
            let instance = usize::try_from(group * u64::from(parallelism) / u64::from(key_groups)).unwrap();
            expected[instance].0.push(key.clone());
            expected[instance].1.push(row.clone());
        }
        prop_assert_eq!(read_frames(&frames, &registry), expected);
    }

    #[test]
    fn round_robin_deals_rows_and_goes_on_where_it_stopped(
        model in support::model(proptest::option::of(support::key_node()), 20),
        instances in 1..5_u32,
        batches in 1..4_usize,
    ) {
        let registry = LayoutRegistry::new();
        let image = model.image(0);
        let view = view_of(&model, &image, &registry);
        let mut cursor = 0;
        let mut dealt = 0;
        for _ in 0..batches {
            let frames = partition::round_robin(&view, instances, &mut cursor, FrameMeta::default()).unwrap();
            let mut expected = vec![Vec::new(); instances as usize];
            for row in &model.rows {
                expected[dealt % instances as usize].push(row.clone());
                dealt += 1;
            }
            let rows: Vec<_> = read_frames(&frames, &registry).into_iter().map(|(_, rows)| rows).collect();
            prop_assert_eq!(rows, expected);
        }
    }

    #[test]
    fn rows_go_where_it_is_said_in_order(
        (model, targets) in support::model(proptest::option::of(support::key_node()), 20).prop_flat_map(|model| {
            let rows = model.rows.len();
            (Just(model), prop::collection::vec(0..4_u32, rows))
        }),
    ) {
        let registry = LayoutRegistry::new();
        let image = model.image(0);
        let view = view_of(&model, &image, &registry);

        let frames = partition::by_target(&view, &targets, 4, FrameMeta::default()).unwrap();

        let mut expected = vec![Vec::new(); 4];
        for (row, &target) in model.rows.iter().zip(&targets) {
            expected[target as usize].push(row.clone());
        }
        let rows: Vec<_> = read_frames(&frames, &registry).into_iter().map(|(_, rows)| rows).collect();
        prop_assert_eq!(rows, expected);
        for wrong in [vec![4; targets.len() + 1], vec![9; targets.len()]] {
            let refused = partition::by_target(&view, &wrong, 4, FrameMeta::default());
            prop_assert_eq!(refused.is_err(), !wrong.is_empty());
        }
    }

    #[test]
    fn a_batch_is_divided_at_a_row_and_only_where_both_parts_have_rows(
        model in support::model(proptest::option::of(support::key_node()), 20),
        row in 0..25_usize,
    ) {
        let registry = LayoutRegistry::new();
        let image = model.image(0);
        let view = view_of(&model, &image, &registry);

        let parts = partition::split_at(&view, row, FrameMeta::default()).unwrap();

        let divides = row > 0 && row < model.rows.len();
        prop_assert_eq!(parts.is_some(), divides);
        if let Some((first, rest)) = parts {
            let rows: Vec<_> = read_frames(&[Some(first), Some(rest)], &registry).into_iter().map(|(_, rows)| rows).collect();
            let (before, from) = model.rows.split_at(row);
            prop_assert_eq!(rows, vec![before.to_vec(), from.to_vec()]);
        }
    }

    #[test]
    fn keys_have_their_canonical_bytes_and_hash(model in support::model(support::key_node().prop_map(Some), 40)) {
        let registry = LayoutRegistry::new();
        let image = model.image(0);
        let view = view_of(&model, &image, &registry);
        let keys = KeyColumn::new(&view).unwrap();
        let mut hashes = vec![1];
        hash_keys(&view, &mut hashes).unwrap();
        prop_assert_eq!(keys.len(), model.keys.len());
        prop_assert_eq!(hashes.len(), model.keys.len());
        let mut scratch = Vec::new();
        for (row, key) in model.keys.iter().enumerate() {
            let canonical = support::canonical(key);
            prop_assert_eq!(keys.canonical(row, &mut scratch), &canonical[..]);
            prop_assert_eq!(hashes[row], xxhash_rust::xxh3::xxh3_64(&canonical));
        }
        prop_assert_eq!(keys.canonical(model.keys.len(), &mut scratch), b"");
    }
}

#[test]
fn hashes_are_those_of_the_reference_implementation() {
    let vectors = include_str!("key-hashes.txt");
    let mut count = 0;
    for line in vectors.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let hash = u64::from_str_radix(words.next().unwrap(), 16).unwrap();
        let hex = words.next().unwrap();
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        assert_eq!(sage_frame::hash_canonical(&bytes), hash, "{line}");
        count += 1;
    }
    assert!(count > 20);
}

#[test]
fn one_key_is_one_key_whatever_column_it_is_in() {
    // Given 1, -0 and NaN in an f64 column and their canonical bytes in a bytes column.
    let numbers = [1.0, -0.0, -f64::NAN];
    let registry = LayoutRegistry::new();
    let hashes = |text: &str, key: Vec<Val>| {
        let layout = Layout::parse(text).unwrap();
        let rows = vec![Val::Absent(1); key.len()];
        let model = Model {
            key: layout.key.clone(),
            row: layout.row.clone(),
            keys: key,
            rows,
            widen_encodings: 0,
        };
        let id = registry.intern(text).unwrap();
        let image = model.image(id.0);
        let mut hashes = Vec::new();
        hash_keys(
            &BatchView::from_image(image.bytes(), &registry).unwrap(),
            &mut hashes,
        )
        .unwrap();
        hashes
    };
    let of_numbers = hashes(
        r#"{"key":"f64","row":"nil?"}"#,
        numbers.map(|n: f64| Val::F64(n.to_bits())).to_vec(),
    );
    let bytes = [1.0, 0.0].map(|n: f64| Val::Bytes([&[4], &n.to_le_bytes()[..]].concat()));
    let nan = Val::Bytes(vec![4, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
    let of_bytes = hashes(
        r#"{"key":"bytes","row":"nil?"}"#,
        [bytes.to_vec(), vec![nan]].concat(),
    );
    assert_eq!(of_numbers, of_bytes);
}

#[test]
fn a_batch_without_keys_cannot_be_partitioned_by_key() {
    let registry = LayoutRegistry::new();
    registry.intern(r#"{"row":"bool"}"#).unwrap();
    let layout = registry.get(0.into()).unwrap();
    let view = BatchView::from_parts(layout, 0.into(), 2, [&[0, 1][..]], []).unwrap();
    let error = partition::by_key(&view, &KeyGroups::new(128, 2), FrameMeta::default()).unwrap_err();
    assert_eq!(error.code, ErrorCode::FormatLayout);
}
