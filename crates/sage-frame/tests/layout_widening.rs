//! Layouts only widen: laws of the least upper bound, and what "wider" means, asked of values.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use proptest::prelude::*;
use sage_frame::{Layout, LeafKind, MAX_COLUMNS, Node, Widening};

/// A JavaScript-like value, the oracle of what a node can hold.
#[derive(Debug, Clone)]
enum Js {
    Number(f64),
    Bool,
    Text,
    Date,
    Map,
    Absent,
    Object(Vec<(String, Js)>),
    Array(Vec<Js>),
}

fn js() -> impl Strategy<Value = Js> {
    let leaf = prop_oneof![
        Just(Js::Number(1.0)),
        Just(Js::Number(1.5)),
        Just(Js::Bool),
        Just(Js::Text),
        Just(Js::Date),
        Just(Js::Map),
        Just(Js::Absent),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let names = proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3);
        let values = proptest::collection::vec(inner.clone(), 3);
        let object = (names, values).prop_map(|(names, values)| {
            Js::Object(names.into_iter().map(str::to_owned).zip(values).collect())
        });
        prop_oneof![object, proptest::collection::vec(inner, 0..3).prop_map(Js::Array)]
    })
}

/// The narrowest node for a value.
fn infer(value: &Js) -> Node {
    match value {
        Js::Number(number) if number.fract() == 0.0 => Node::leaf(LeafKind::I32),
        Js::Number(_) => Node::leaf(LeafKind::F64),
        Js::Bool => Node::leaf(LeafKind::Bool),
        Js::Text => Node::leaf(LeafKind::Str),
        Js::Date => Node::leaf(LeafKind::Date),
        Js::Map => Node::leaf(LeafKind::Any),
        Js::Absent => Node::leaf(LeafKind::Nil),
        Js::Object(fields) => Node::record(fields.iter().map(|(name, value)| (name.clone(), infer(value)))),
        Js::Array(items) => Node::tuple(items.iter().map(infer)),
    }
}

fn holds(node: &Node, value: &Js) -> bool {
    if matches!(value, Js::Absent) {
        // Tokens and JSON say null themselves.
        return node.is_optional()
            || matches!(
                node,
                Node::Leaf {
                    kind: LeafKind::Any,
                    ..
                }
            );
    }
    match (node, value) {
        (
            Node::Leaf {
                kind: LeafKind::Any, ..
            },
            _,
        )
        | (
            Node::Leaf {
                kind: LeafKind::F64, ..
            },
            Js::Number(_),
        )
        | (
            Node::Leaf {
                kind: LeafKind::Bool, ..
            },
            Js::Bool,
        )
        | (
            Node::Leaf {
                kind: LeafKind::Str, ..
            },
            Js::Text,
        )
        | (
            Node::Leaf {
                kind: LeafKind::Date, ..
            },
            Js::Date,
        ) => true,
        (
            Node::Leaf {
                kind: LeafKind::I32, ..
            },
            Js::Number(number),
        ) => number.fract() == 0.0,
        (Node::Record { fields, .. }, Js::Object(values)) => {
            let value_of = |name: &str| {
                values
                    .iter()
                    .find(|(other, _)| other == name)
                    .map(|(_, value)| value)
            };
            fields.iter().all(|(name, field)| match value_of(name) {
                Some(value) => holds(field, value),
                None => field.is_optional(),
            }) && values
                .iter()
                .all(|(name, _)| fields.iter().any(|(other, _)| other == name))
        }
        (Node::Tuple { items, .. }, Js::Array(values)) => {
            items.len() == values.len() && items.iter().zip(values).all(|(item, value)| holds(item, value))
        }
        _ => false,
    }
}

/// Fields sorted by name, all the way down: equality up to the order of fields.
fn sorted(node: &Node) -> Node {
    match node {
        Node::Leaf { .. } => node.clone(),
        Node::Record { fields, optional } => {
            let mut fields: Vec<_> = fields
                .iter()
                .map(|(name, field)| (name.clone(), sorted(field)))
                .collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            Node::Record {
                fields,
                optional: *optional,
            }
        }
        Node::Tuple { items, optional } => Node::Tuple {
            items: items.iter().map(sorted).collect(),
            optional: *optional,
        },
    }
}

fn both() -> impl Strategy<Value = Widening> {
    prop_oneof![Just(Widening::Any), Just(Widening::Json)]
}

proptest! {
    #[test]
    fn widening_is_commutative_up_to_the_order_of_fields(a in support::node(), b in support::node(), w in both()) {
        prop_assert_eq!(sorted(&a.widen(&b, w)), sorted(&b.widen(&a, w)));
    }

    #[test]
    fn widening_is_associative(a in support::node(), b in support::node(), c in support::node(), w in both()) {
        prop_assert_eq!(sorted(&a.widen(&b, w).widen(&c, w)), sorted(&a.widen(&b.widen(&c, w), w)));
    }

    #[test]
    fn widening_is_idempotent_and_absorbs(a in support::node(), b in support::node(), w in both()) {
        prop_assert_eq!(&a.widen(&a, w), &a);
        let wide = a.widen(&b, w);
        prop_assert_eq!(&wide.widen(&a, w), &wide);
        prop_assert_eq!(&wide.widen(&b, w), &wide);
    }

    #[test]
    fn the_layout_of_many_values_holds_each_of_them(values in proptest::collection::vec(js(), 1..8)) {
        let node = values.iter().map(infer).reduce(|a, b| a.widen(&b, Widening::Any)).unwrap();
        for value in &values {
            prop_assert!(holds(&node, value), "{node:?} does not hold {value:?}");
        }
    }

    #[test]
    fn widening_one_node_is_widening_the_layout_there(row in support::node(), other in support::leaf(), at in any::<proptest::sample::Index>()) {
        let layout = Layout::unkeyed(row);
        let node = at.index(layout.nodes().len());
        let path = layout.path_of(node);
        let wide = layout.with_widened(node, &other, Widening::Any);
        // Everything else is as it was: widening back with the old layout changes nothing.
        prop_assert_eq!(wide.widen(&layout).row, wide.row.clone());
        prop_assert_eq!(wide.path_of(node), path);
    }
}

#[test]
fn types_widen_as_the_specification_says() {
    for (a, b, wide) in [
        (r#""i32""#, r#""f64""#, r#""f64""#),
        (r#""i32""#, r#""i32?""#, r#""i32?""#),
        (r#""nil?""#, r#""str""#, r#""str?""#),
        (r#""f64""#, r#""str""#, r#""any""#),
        (r#""f64?""#, r#""date""#, r#""any?""#),
        (
            r#"{"rec":[["a","f64"]]}"#,
            r#"{"rec":[["b","f64"]]}"#,
            r#"{"rec":[["a","f64?"],["b","f64?"]]}"#,
        ),
        (r#"{"rec":[]}"#, r#""f64""#, r#""any""#),
        (r#"{"tup":["f64"]}"#, r#"{"tup":["f64","f64"]}"#, r#""any""#),
        (
            r#"{"tup":["f64"],"opt":true}"#,
            r#"{"tup":["str"]}"#,
            r#"{"tup":["any"],"opt":true}"#,
        ),
    ] {
        let layout = |node: &str| Layout::parse(&format!("{{\"row\":{node}}}")).unwrap();
        assert_eq!(&*layout(a).widen(&layout(b)).text, format!("{{\"row\":{wide}}}"));
    }
}

#[test]
fn keys_of_two_kinds_become_bytes() {
    let layout = |key: &str| Layout::parse(&format!(r#"{{"key":"{key}","row":"f64"}}"#)).unwrap();
    assert_eq!(
        &*layout("f64").widen(&layout("f64")).text,
        r#"{"key":"f64","row":"f64"}"#
    );
    assert_eq!(
        &*layout("f64").widen(&layout("str")).text,
        r#"{"key":"bytes","row":"f64"}"#
    );
}

#[test]
fn a_row_with_too_many_columns_becomes_one() {
    let wide = |from: usize, to: usize| {
        let fields = (from..to).map(|i| (format!("f{i}"), Node::leaf(LeafKind::F64)));
        Layout::unkeyed(Node::record(fields))
    };
    let half = wide(0, MAX_COLUMNS / 2);
    assert_eq!(
        half.widen(&wide(MAX_COLUMNS / 2, MAX_COLUMNS))
            .row
            .count_columns(),
        MAX_COLUMNS
    );
    assert_eq!(
        &*half.widen(&wide(MAX_COLUMNS / 2, MAX_COLUMNS + 1)).text,
        r#"{"row":"any"}"#
    );
}

#[test]
fn a_new_field_is_appended_as_optional_and_once() {
    let layout =
        Layout::parse(r#"{"key":"str","row":{"rec":[["a",{"rec":[["x","f64"]]}],["b","str"]]}}"#).unwrap();
    let inner = layout.node_at("a").unwrap();
    let more = layout.with_field(inner, "y", Node::leaf(LeafKind::Bool), Widening::Any);
    assert_eq!(
        &*more.text,
        r#"{"key":"str","row":{"rec":[["a",{"rec":[["x","f64"],["y","bool?"]]}],["b","str"]]}}"#
    );
    assert_eq!(
        more.with_field(inner, "y", Node::leaf(LeafKind::Str), Widening::Any),
        more
    );
    let leaf = layout.node_at("b").unwrap();
    assert_eq!(
        layout.with_field(leaf, "y", Node::leaf(LeafKind::Str), Widening::Any),
        layout
    );
}
