//! The results of an aggregate as records.

use sage_frame::{BatchView, ColumnData, Frame, FrameMeta, LayoutRegistry, LeafKind, Node};
use sage_types::Result;

use crate::built_column::{BuiltColumn, Mixed, of_rows};
use crate::canonical_key::{push_json_key, simple_value, write_key_tokens};
use crate::evaluate::Evaluated;
use crate::new_batch::BatchMaker;
use crate::value::Value;
use crate::vector::Vector;

/// Makes records of what [`NativeChain`](crate::NativeChain) keyed and an aggregate computed.
#[derive(Debug)]
pub struct ResultRecords {
    /// Of the results, in order.
    names: Vec<String>,
    /// Whether the key is a field.
    keyed: bool,
    /// Whether start and end of a window are before the results, and become a field `window`.
    windowed: bool,
    mixed: Mixed,
    maker: BatchMaker,
}

impl ResultRecords {
    /// Records with these fields, behind `key` where there is one, and `window` where they are of windows. `for_writer`: keys of
    /// several kinds become JSON.
    #[must_use]
    pub fn new(names: Vec<String>, keyed: bool, windowed: bool, for_writer: bool) -> Self {
        let mixed = if for_writer { Mixed::Json } else { Mixed::Any };
        Self {
            names,
            keyed,
            windowed,
            mixed,
            maker: BatchMaker::default(),
        }
    }

    /// The records of a batch with the layout `{"key":K,"row":{"tup":[...]}}`.
    ///
    /// # Errors
    /// `SAGE_LIMIT_*`.
    pub fn make(
        &mut self,
        view: &BatchView<'_>,
        registry: &LayoutRegistry,
        meta: FrameMeta,
    ) -> Result<Frame> {
        let layout = view.layout();
        let mut fields = Vec::with_capacity(self.names.len() + 1);
        let mut columns = Vec::with_capacity(self.names.len() + 1);
        if self.keyed {
            let key = self.key_column(view)?;
            fields.push(("key".to_owned(), key.node.clone()));
            columns.push(key);
        }
        let children = &layout.nodes()[layout.row_node()].children;
        let (edges, results) = children.split_at(if self.windowed { 2 } else { 0 });
        if let [start, end] = *edges {
            let edge = |child| BuiltColumn::copied(view, child, None, false, false);
            let (start, end) = (edge(start), edge(end));
            let window = Node::record([("start", start.node.clone()), ("end", end.node.clone())]);
            fields.push(("window".to_owned(), window));
            columns.extend([start, end]);
        }
        for (name, &child) in self.names.iter().zip(results) {
            let column = BuiltColumn::copied(view, child, None, false, false);
            fields.push((name.clone(), column.node.clone()));
            columns.push(column);
        }
        self.maker.make(
            None,
            None,
            Node::record(fields),
            columns,
            view.rows(),
            registry,
            meta,
        )
    }

    /// One record of results that no row had a part in: `values` are numbers, or none.
    ///
    /// # Errors
    /// `SAGE_LIMIT_*`.
    pub fn make_empty(&mut self, values: &[Option<f64>], registry: &LayoutRegistry) -> Result<Frame> {
        let mut fields = Vec::with_capacity(values.len());
        let mut columns = Vec::with_capacity(values.len());
        for (name, value) in self.names.iter().zip(values) {
            let column = of_rows(
                LeafKind::F64,
                1,
                value.is_none(),
                |_, builder, node| match value {
                    Some(number) => builder.push_f64(node, *number),
                    None => builder.push_null(node),
                },
            )?;
            fields.push((name.clone(), column.node.clone()));
            columns.push(column);
        }
        self.maker.make(
            None,
            None,
            Node::record(fields),
            columns,
            1,
            registry,
            FrameMeta::default(),
        )
    }

    fn key_column<'v, 'a: 'v>(&self, view: &BatchView<'a>) -> Result<BuiltColumn<'v>> {
        let Some(ColumnData::Bytes(keys)) = view.key().map(|column| column.data) else {
            return Ok(BuiltColumn::copied_key(view));
        };
        let rows = view.rows();
        let values: Option<Vec<Value<'_>>> = (0..rows).map(|row| simple_value(keys.row(row))).collect();
        if let Some(values) = values {
            let is_null = values.iter().all(|value| *value == Value::Null);
            let evaluated = if is_null {
                Evaluated::Vector(Vector::Constant(Value::Null))
            } else {
                Evaluated::Values(values)
            };
            return BuiltColumn::of(evaluated, view, false, self.mixed).map(BuiltColumn::into_owned);
        }
        let mut json = Vec::new();
        let survives = (0..rows).all(|row| push_json_key(keys.row(row), &mut json));
        if survives || self.mixed == Mixed::Json {
            return of_rows(LeafKind::Json, rows, false, |row, builder, node| {
                json.clear();
                push_json_key(keys.row(row), &mut json);
                builder.push_json(node, std::str::from_utf8(&json).unwrap_or("null"))
            });
        }
        of_rows(LeafKind::Any, rows, false, |row, builder, node| {
            builder.push_any(node, |writer| write_key_tokens(keys.row(row), writer))
        })
    }
}
