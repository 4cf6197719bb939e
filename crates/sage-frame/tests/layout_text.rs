//! The text of a layout is what both languages agree on.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use sage_frame::{BufferKind, EndsUnit, Layout, LayoutRegistry, LeafKind, MAX_LAYOUTS, Node};
use sage_types::ErrorCode;

#[test]
fn a_layout_is_written_as_the_specification_says() {
    let row = Node::record([
        ("id", Node::leaf(LeafKind::F64)),
        ("name\"", Node::leaf(LeafKind::Str).optional()),
        (
            "pos",
            Node::tuple([Node::leaf(LeafKind::I32), Node::leaf(LeafKind::Nil)]).optional(),
        ),
        ("sub", Node::record([("x", Node::leaf(LeafKind::Any))])),
    ]);
    let layout = Layout::new(Some(Node::leaf(LeafKind::Str)), row).unwrap();
    assert_eq!(
        &*layout.text,
        r#"{"key":"str","row":{"rec":[["id","f64"],["name\"","str?"],["pos",{"tup":["i32","nil?"],"opt":true}],["sub",{"rec":[["x","any"]]}]]}}"#
    );
}

#[test]
fn the_buffers_of_a_batch_follow_the_nodes_depth_first_and_key_first() {
    use BufferKind::{Data, Ends, Fixed, Presence};
    let layout = Layout::parse(
        r#"{"key":"bytes","row":{"rec":[["a","f64?"],["b",{"tup":["bool","i32","date"],"opt":true}],["c","any"],["d","nil?"],["e","json?"]]}}"#,
    )
    .unwrap();
    let (units, bytes) = (
        Ends {
            unit: EndsUnit::Utf16,
        },
        Ends {
            unit: EndsUnit::Bytes,
        },
    );
    assert_eq!(
        layout.buffers(),
        [
            bytes,
            Data { encoding: None },
            Presence,
            Fixed { width: 8 },
            Presence,
            Fixed { width: 1 },
            Fixed { width: 4 },
            Fixed { width: 8 },
            bytes,
            Data { encoding: None },
            units,
            Data { encoding: Some(0) },
            Presence,
            Presence,
            units,
            Data { encoding: Some(1) },
        ]
    );
    assert_eq!(layout.encodings(), 2);
}

#[test]
fn nodes_are_found_by_path() {
    let layout = Layout::parse(
        r#"{"key":"f64","row":{"rec":[["a",{"rec":[["b",{"tup":["f64","str"]}]]}],["a.b","bool"]]}}"#,
    )
    .unwrap();
    let node = layout.node_at("a.b.1").unwrap();
    assert_eq!(layout.path_of(node), "a.b.1");
    assert_eq!(layout.nodes()[node].encoding, Some(0));
    assert_eq!(layout.node_at(""), Some(layout.row_node()));
    assert_eq!(layout.path_of(layout.key_node().unwrap()), "key");
    assert_eq!(layout.node_at("a.c"), None);
    assert_eq!(layout.node_at("a.b.2"), None);
    assert_eq!(layout.node_at("a.b.1.x"), None);
    assert!(layout.field(layout.row_node(), "a.b").is_some());
}

#[test]
fn texts_that_are_no_layouts_are_refused_with_the_reason() {
    for (text, why) in [
        ("", "EOF"),
        ("[]", "a layout is an object"),
        ("{}", "there is no row"),
        (r#"{"row":"f65"}"#, "unknown column kind \"f65\""),
        (r#"{"row":"f64","rows":1}"#, "unknown member \"rows\""),
        (
            r#"{"row":{"rec":[["a","f64"],["a","str"]]}}"#,
            "field \"a\" is there twice",
        ),
        (r#"{"row":{"rec":[["a"]]}}"#, "a field is [name, node]"),
        (r#"{"row":{"rec":[],"tup":[]}}"#, "a node has rec or tup"),
        (r#"{"row":{"opt":true}}"#, "a node has rec or tup"),
        (r#"{"row":{"rec":[],"opt":1}}"#, "opt is true or left away"),
        (r#"{"time":"i32","row":"f64"}"#, "the time of a layout is f64"),
        (r#"{"time":"f64?","row":"f64"}"#, "the time of a layout is f64"),
        (r#"{"key":"f64?","row":"f64"}"#, "the key of a layout is one of"),
        (r#"{"key":"any","row":"f64"}"#, "the key of a layout is one of"),
        (
            r#"{"key":{"rec":[]},"row":"f64"}"#,
            "the key of a layout is one of",
        ),
    ] {
        let error = Layout::parse(text).unwrap_err();
        assert_eq!(error.code, ErrorCode::FormatLayout);
        assert!(error.message.contains(why), "{text}: {error}");
    }
    let deep = format!(
        "{{\"row\":{}\"f64\"{}}}",
        "{\"tup\":[".repeat(10_000),
        "]}".repeat(10_000)
    );
    assert_eq!(Layout::parse(&deep).unwrap_err().code, ErrorCode::FormatLayout);
}

#[test]
fn the_registry_gives_one_id_to_all_texts_of_a_layout() {
    let registry = LayoutRegistry::new();
    let first = registry.intern(r#"{"row":{"rec":[["a","nil"]]}}"#).unwrap();
    let second = registry.intern(r#"{"key":"f64","row":"any"}"#).unwrap();
    assert_eq!((first.0, second.0), (0, 1));
    assert_eq!(
        registry
            .intern(r#"{ "row": {"rec": [["a","nil?"]]}, "key": null }"#)
            .unwrap(),
        first
    );
    assert_eq!(
        &*registry.get(first).unwrap().text,
        r#"{"row":{"rec":[["a","nil?"]]}}"#
    );
    assert!(registry.get(2.into()).is_none());
    assert!(registry.intern("nonsense").is_err());
    assert_eq!(registry.len(), 2);
}

#[test]
fn the_registry_refuses_more_shapes_than_it_may_have_and_keeps_those_it_has() {
    let registry = LayoutRegistry::new();
    for shape in 0..MAX_LAYOUTS {
        assert_eq!(
            registry.intern_shape(&format!("[\"{shape}\"]")).unwrap() as usize,
            shape
        );
    }
    assert_eq!(
        registry.intern_shape("[\"more\"]").unwrap_err().code,
        ErrorCode::LimitLayouts
    );
    assert_eq!(registry.intern_shape("[\"7\"]").unwrap(), 7);
    assert_eq!(&*registry.shape(7).unwrap(), "[\"7\"]");
    assert!(registry.shape(65_536).is_none());
}

#[test]
fn threads_that_intern_the_same_layouts_get_the_same_ids() {
    let registry = LayoutRegistry::new();
    let text = |i: usize| format!(r#"{{"row":{{"rec":[["f{i}","f64"]]}}}}"#);
    let ids: Vec<Vec<u32>> = std::thread::scope(|scope| {
        let thread = || (0..200).map(|i| registry.intern(&text(i)).unwrap().0).collect();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(thread)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|of_thread| *of_thread == ids[0]));
    let mut dense = ids[0].clone();
    dense.sort_unstable();
    assert!(dense.into_iter().eq(0..200));
}

proptest! {
    #[test]
    fn a_layout_survives_its_text(key in proptest::option::of(support::key_node()), timed: bool, row in support::node()) {
        let layout = Layout::new(key, row).unwrap();
        let layout = if timed { layout.with_time() } else { layout };
        let again = Layout::parse(&layout.text).unwrap();
        prop_assert_eq!(&again.key, &layout.key);
        prop_assert_eq!(again.timed, timed);
        prop_assert_eq!(again.buffers(), layout.buffers());
        prop_assert_eq!(again.row_node(), layout.row_node());
        prop_assert_eq!(&again.row, &layout.row);
        prop_assert_eq!(&again.text, &layout.text);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&layout.text).is_ok());
        prop_assert!(!layout.text.contains(char::is_whitespace) || layout.text.contains("d\\\"\\n"));
    }
}

#[test]
fn times_stand_between_key_and_row() {
    let layout = Layout::parse(r#"{"key":"str","time":"f64","row":{"rec":[["a","bool"]]}}"#).unwrap();
    assert_eq!(layout.key_node(), Some(0));
    assert_eq!(layout.time_node(), Some(1));
    assert_eq!(layout.row_node(), 2);
    assert_eq!(layout.path_of(1), "time");
    assert_eq!(layout.node_at("a"), Some(3));
    let unkeyed = Layout::parse(r#"{"time":"f64","row":"f64"}"#).unwrap();
    assert_eq!((unkeyed.time_node(), unkeyed.row_node()), (Some(0), 1));
    assert_eq!(Layout::unkeyed(unkeyed.row.clone()).time_node(), None);
}
