//! A column of a new batch: its node, and its buffers in the order of the layout.

use std::borrow::Cow;

use sage_frame::{
    BatchBuilder, BatchView, BufferKind, Frame, FrameMeta, Layout, LeafKind, Node, NodeIndex, PlannedKind,
    StringEncoding, presence,
};
use sage_types::{ErrorCode, LayoutId, Result, SageError};

use std::sync::Arc;

use crate::evaluate::Evaluated;
use crate::nested::{push_json, push_json_object, survives_json, write_object, write_tokens};
use crate::text::{Text, len_units};
use crate::value::{Kind, Value};
use crate::vector::{Nulls, Texts, Vector};

/// What a column becomes whose values are not all of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mixed {
    /// `json` where nothing is lost by that, else `any`: for JavaScript.
    Any,
    /// `json`, of what `JSON.stringify` gives: for writers.
    Json,
}

/// A column of a new batch.
#[derive(Debug)]
pub(crate) struct BuiltColumn<'v> {
    pub(crate) node: Node,
    pub(crate) buffers: Vec<Cow<'v, [u8]>>,
    pub(crate) encodings: Vec<StringEncoding>,
}

impl<'v> BuiltColumn<'v> {
    /// A column of what an expression gave. With `optional` it may be null, also where no row is: layouts do not narrow.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH`.
    pub(crate) fn of(
        evaluated: Evaluated<'v>,
        view: &BatchView<'_>,
        optional: bool,
        mixed: Mixed,
    ) -> Result<Self> {
        match evaluated {
            Evaluated::Vector(vector) => Self::of_vector(vector, view.rows(), optional),
            Evaluated::Values(values) => Self::of_values(&values, view, optional, mixed),
        }
    }

    fn of_vector(vector: Vector<'v>, rows: usize, optional: bool) -> Result<Self> {
        match vector {
            Vector::Numbers { values, nulls } => Ok(fixed(
                LeafKind::F64,
                f64_bytes(values, &nulls),
                nulls,
                rows,
                optional,
            )),
            Vector::Dates { values, nulls } => Ok(fixed(
                LeafKind::Date,
                f64_bytes(values, &nulls),
                nulls,
                rows,
                optional,
            )),
            Vector::Booleans { values, nulls } => {
                let values = match &nulls {
                    Some(nulls) => values
                        .iter()
                        .zip(nulls.iter())
                        .map(|(&value, &null)| if null == 0 { value } else { 0 })
                        .collect(),
                    None => values,
                };
                Ok(fixed(LeafKind::Bool, values, nulls, rows, optional))
            }
            Vector::Texts { texts, nulls } => text_column(texts, &nulls, rows, optional),
            Vector::Constant(Value::Number(number)) => Ok(fixed(
                LeafKind::F64,
                f64_bytes(Cow::Owned(vec![number; rows]), &None),
                None,
                rows,
                optional,
            )),
            Vector::Constant(Value::Date(millis)) => Ok(fixed(
                LeafKind::Date,
                f64_bytes(Cow::Owned(vec![millis; rows]), &None),
                None,
                rows,
                optional,
            )),
            Vector::Constant(Value::Boolean(value)) => Ok(fixed(
                LeafKind::Bool,
                Cow::Owned(vec![u8::from(value); rows]),
                None,
                rows,
                optional,
            )),
            Vector::Constant(Value::Null) => Ok(Self {
                node: Node::leaf(LeafKind::Nil),
                buffers: vec![Cow::Owned(vec![presence::NULL; rows])],
                encodings: Vec::new(),
            }),
            Vector::Constant(value) => of_rows(LeafKind::Str, rows, optional, |_, builder, node| {
                push_text(builder, node, &value)
            }),
        }
    }

    fn of_values(values: &[Value<'_>], view: &BatchView<'_>, optional: bool, mixed: Mixed) -> Result<Self> {
        let optional = optional || values.contains(&Value::Null);
        let rows = values.len();
        let mut kinds = values.iter().map(Value::kind).filter(|kind| *kind != Kind::Null);
        let first = kinds.next();
        let is_uniform = kinds.all(|kind| Some(kind) == first);
        match first {
            None => return Self::of_vector(Vector::Constant(Value::Null), rows, true),
            Some(Kind::Number) if is_uniform => {
                return of_rows(LeafKind::F64, rows, optional, |row, builder, node| {
                    match values[row] {
                        Value::Number(number) => builder.push_f64(node, number),
                        _ => builder.push_null(node),
                    }
                });
            }
            Some(Kind::Date) if is_uniform => {
                return of_rows(
                    LeafKind::Date,
                    rows,
                    optional,
                    |row, builder, node| match values[row] {
                        Value::Date(millis) => builder.push_date(node, millis),
                        _ => builder.push_null(node),
                    },
                );
            }
            Some(Kind::Boolean) if is_uniform => {
                return of_rows(
                    LeafKind::Bool,
                    rows,
                    optional,
                    |row, builder, node| match values[row] {
                        Value::Boolean(value) => builder.push_bool(node, value),
                        _ => builder.push_null(node),
                    },
                );
            }
            Some(Kind::Text) if is_uniform => {
                return of_rows(LeafKind::Str, rows, optional, |row, builder, node| {
                    push_text(builder, node, &values[row])
                });
            }
            Some(_) => {}
        }
        if mixed == Mixed::Json || values.iter().all(survives_json) {
            let mut json = Vec::new();
            return of_rows(LeafKind::Json, rows, optional, |row, builder, node| {
                if values[row] == Value::Null {
                    return builder.push_null(node);
                }
                json.clear();
                push_json(&values[row], Some(view), &mut json);
                builder.push_json(node, std::str::from_utf8(&json).unwrap_or("null"))
            });
        }
        of_rows(
            LeafKind::Any,
            rows,
            optional,
            |row, builder, node| match &values[row] {
                Value::Null => builder.push_null(node),
                value => builder.push_any(node, |writer| write_tokens(value, view, writer)),
            },
        )
    }

    /// A column of objects with these members: as JSON texts, or for JavaScript alone.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH`.
    pub(crate) fn of_members(
        rows: &[Vec<(Text<'_>, Value<'_>)>],
        view: &BatchView<'_>,
        as_json: bool,
    ) -> Result<Self> {
        if !as_json {
            return of_rows(LeafKind::Any, rows.len(), false, |row, builder, node| {
                builder.push_any(node, |writer| write_object(&rows[row], view, writer))
            });
        }
        let mut json = Vec::new();
        of_rows(LeafKind::Json, rows.len(), false, |row, builder, node| {
            json.clear();
            push_json_object(&rows[row], view, &mut json);
            builder.push_json(node, std::str::from_utf8(&json).unwrap_or("null"))
        })
    }

    /// The key column of a batch, as it is.
    pub(crate) fn copied_key(view: &BatchView<'v>) -> Self {
        let layout = view.layout();
        let node = layout.key.clone().unwrap_or_else(|| Node::leaf(LeafKind::Nil));
        let (buffers, encodings) = parts_of(view, 0);
        let buffers = buffers.iter().map(|&buffer| Cow::Borrowed(buffer)).collect();
        Self {
            node,
            buffers,
            encodings,
        }
    }

    /// The same column with memory of its own.
    pub(crate) fn into_owned(self) -> BuiltColumn<'static> {
        BuiltColumn {
            node: self.node,
            buffers: self
                .buffers
                .into_iter()
                .map(|buffer| Cow::Owned(buffer.into_owned()))
                .collect(),
            encodings: self.encodings,
        }
    }

    /// The column that a batch has at a path, as it is; undefined and missing values are null where `normalised`.
    pub(crate) fn copied(
        view: &BatchView<'v>,
        node: NodeIndex,
        absent: Nulls<'v>,
        optional: bool,
        normalised: bool,
    ) -> Self {
        let layout = view.layout();
        let planned = &layout.nodes()[node];
        let mut tree = tree_at(&layout.row, layout.row_node(), node).clone();
        let (buffers, encodings) = parts_of(view, node);
        let mut buffers: Vec<Cow<'v, [u8]>> = buffers.iter().map(|&buffer| Cow::Borrowed(buffer)).collect();
        if normalised {
            if planned.is_optional() {
                buffers.remove(0);
            }
            let may_be_null =
                optional || absent.is_some() || planned.kind == PlannedKind::Leaf(LeafKind::Nil);
            set_optional(&mut tree, may_be_null);
            if may_be_null {
                buffers.insert(0, null_presence(absent, view.rows()));
            }
        }
        Self {
            node: tree,
            buffers,
            encodings,
        }
    }
}

/// The tree of a node; `first` is the index of the root.
fn tree_at(root: &Node, first: NodeIndex, node: NodeIndex) -> &Node {
    fn find<'n>(tree: &'n Node, remaining: &mut usize) -> Option<&'n Node> {
        if *remaining == 0 {
            return Some(tree);
        }
        *remaining -= 1;
        match tree {
            Node::Leaf { .. } => None,
            Node::Record { fields, .. } => fields.iter().find_map(|(_, field)| find(field, remaining)),
            Node::Tuple { items, .. } => items.iter().find_map(|item| find(item, remaining)),
        }
    }
    find(root, &mut (node - first)).unwrap_or(root)
}

fn set_optional(node: &mut Node, to: bool) {
    match node {
        Node::Leaf {
            kind: LeafKind::Nil, ..
        } => {}
        Node::Leaf { optional, .. } | Node::Record { optional, .. } | Node::Tuple { optional, .. } => {
            *optional = to;
        }
    }
}

/// The buffers and encodings of a node and all below it.
pub(crate) fn parts_of<'v, 'a>(
    view: &'v BatchView<'a>,
    node: NodeIndex,
) -> (&'v [&'a [u8]], Vec<StringEncoding>) {
    let layout = view.layout();
    let nodes = layout.nodes();
    let mut last = node;
    while let Some(&child) = nodes[last].children.last() {
        last = child;
    }
    let start = nodes[node].presence.unwrap_or(nodes[node].values);
    let end = nodes
        .get(last + 1)
        .map_or(view.buffers().len(), |next| next.presence.unwrap_or(next.values));
    let encodings = layout.buffers()[start..end]
        .iter()
        .filter_map(|kind| match kind {
            BufferKind::Data {
                encoding: Some(encoding),
            } => view.encodings().get(*encoding).copied(),
            _ => None,
        })
        .collect();
    (&view.buffers()[start..end], encodings)
}

fn null_presence(nulls: Nulls<'_>, rows: usize) -> Cow<'_, [u8]> {
    match nulls {
        None => Cow::Owned(vec![presence::VALUE; rows]),
        Some(nulls) => nulls
            .iter()
            .map(|&null| {
                if null == 0 {
                    presence::VALUE
                } else {
                    presence::NULL
                }
            })
            .collect(),
    }
}

fn leaf(kind: LeafKind, optional: bool) -> Node {
    let node = Node::leaf(kind);
    if optional { node.optional() } else { node }
}

fn fixed<'v>(
    kind: LeafKind,
    values: Cow<'v, [u8]>,
    nulls: Nulls<'v>,
    rows: usize,
    optional: bool,
) -> BuiltColumn<'v> {
    let optional = optional || nulls.is_some();
    let mut buffers = Vec::with_capacity(2);
    if optional {
        buffers.push(null_presence(nulls, rows));
    }
    buffers.push(values);
    BuiltColumn {
        node: leaf(kind, optional),
        buffers,
        encodings: Vec::new(),
    }
}

/// The bytes of numbers; 0 where a row is null.
fn f64_bytes<'v>(values: Cow<'v, [f64]>, nulls: &Nulls<'_>) -> Cow<'v, [u8]> {
    match (values, nulls) {
        (Cow::Borrowed(values), None) => Cow::Borrowed(bytemuck::cast_slice(values)),
        (Cow::Owned(values), None) => Cow::Owned(bytemuck::cast_slice(&values).to_vec()),
        (values, Some(nulls)) => {
            let filled: Vec<f64> = values
                .iter()
                .zip(nulls.iter())
                .map(|(&value, &null)| if null == 0 { value } else { 0.0 })
                .collect();
            Cow::Owned(bytemuck::cast_slice(&filled).to_vec())
        }
    }
}

fn text_column<'v>(
    texts: Texts<'v>,
    nulls: &Nulls<'_>,
    rows: usize,
    optional: bool,
) -> Result<BuiltColumn<'v>> {
    if let Some(nulls) = nulls {
        return of_rows(LeafKind::Str, rows, true, |row, builder, node| {
            if nulls[row] == 0 {
                builder.push_str(node, texts.text(row))
            } else {
                builder.push_null(node)
            }
        });
    }
    let mut buffers = Vec::with_capacity(3);
    if optional {
        buffers.push(null_presence(None, rows));
    }
    let ends: Vec<u32> = if texts.is_ascii {
        texts.ends.to_vec()
    } else {
        let mut units = 0_usize;
        let ends: Option<Vec<u32>> = (0..rows)
            .map(|row| {
                units += len_units(texts.text(row));
                u32::try_from(units).ok()
            })
            .collect();
        ends.ok_or_else(|| SageError::new(ErrorCode::LimitBatch, "one column would be larger than 2 GiB"))?
    };
    buffers.push(Cow::Owned(bytemuck::cast_slice(&ends).to_vec()));
    buffers.push(texts.data);
    let encoding = if texts.is_ascii {
        StringEncoding::Ascii
    } else {
        StringEncoding::Utf8
    };
    Ok(BuiltColumn {
        node: leaf(LeafKind::Str, optional),
        buffers,
        encodings: vec![encoding],
    })
}

fn push_text(
    builder: &mut BatchBuilder,
    node: NodeIndex,
    value: &Value<'_>,
) -> std::result::Result<(), sage_frame::Mismatch> {
    match value {
        Value::Text(Text::Utf8(text)) => builder.push_str(node, text),
        Value::Text(Text::Utf16(units)) => builder.push_utf16(node, units),
        _ => builder.push_null(node),
    }
}

/// A column that is built row by row.
pub(crate) fn of_rows<'v>(
    kind: LeafKind,
    rows: usize,
    optional: bool,
    mut push: impl FnMut(usize, &mut BatchBuilder, NodeIndex) -> std::result::Result<(), sage_frame::Mismatch>,
) -> Result<BuiltColumn<'v>> {
    let node = leaf(kind, optional);
    let layout = Arc::new(Layout::unkeyed(node.clone()));
    let mut builder = BatchBuilder::new(Arc::clone(&layout));
    let at = layout.row_node();
    for row in 0..rows {
        let pushed = push(row, &mut builder, at).and_then(|()| builder.end_row());
        pushed.map_err(|mismatch| {
            SageError::new(
                ErrorCode::Internal,
                format!("a column of an expression does not hold what it gave: {mismatch}"),
            )
        })?;
    }
    // The id is never looked at: the buffers go into another frame.
    let frame = builder.finish(LayoutId(0), FrameMeta::default())?;
    let (buffers, encodings) = copied_parts(&frame)?;
    Ok(BuiltColumn {
        node,
        buffers,
        encodings,
    })
}

type Parts<'v> = (Vec<Cow<'v, [u8]>>, Vec<StringEncoding>);

fn copied_parts<'v>(frame: &Frame) -> Result<Parts<'v>> {
    let registry = sage_frame::LayoutRegistry::new();
    let view = frame.view(&registry)?;
    let buffers = view
        .buffers()
        .iter()
        .map(|buffer| Cow::Owned(buffer.to_vec()))
        .collect();
    Ok((buffers, view.encodings().to_vec()))
}
