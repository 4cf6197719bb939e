//! The key of each row, and the inputs of an aggregate.

use std::borrow::Cow;

use sage_frame::{BatchView, Frame, FrameMeta, LayoutRegistry, LeafKind, Node, PlannedKind, presence};
use sage_types::{ErrorCode, Result, SageError};

use crate::built_column::{BuiltColumn, Mixed};
use crate::chain_spec::{InputSpec, KeySpec};
use crate::evaluate::{Evaluated, Evaluation};
use crate::json_value::json_field;
use crate::nested::{described_input, push_canonical};
use crate::new_batch::BatchMaker;
use crate::source::{Source, SourceData};
use crate::value::{Kind, Value};
use crate::vector::Vector;

/// Makes `{"key":K,"row":{"tup":[...]}}` of records, with event times where they have such.
#[derive(Debug)]
pub(crate) struct Extract {
    key_node: usize,
    key: KeySpec,
    inputs: Vec<InputSpec>,
    maker: BatchMaker,
}

impl Extract {
    pub(crate) fn new(key_node: usize, key: KeySpec, inputs: Vec<InputSpec>) -> Self {
        Self {
            key_node,
            key,
            inputs,
            maker: BatchMaker::default(),
        }
    }

    /// The new batch.
    ///
    /// # Errors
    /// `SAGE_EXPRESSION_VALUE`, `SAGE_KEY_MISSING_FIELD` and `SAGE_AGGREGATE_INPUT` with `row`, those of the key with `node` too; `SAGE_LIMIT_*`.
    pub(crate) fn apply(
        &mut self,
        view: &BatchView<'_>,
        times: Option<&[f64]>,
        meta: FrameMeta,
        registry: &LayoutRegistry,
    ) -> Result<Frame> {
        let at_key = |error: SageError| error.with("node", self.key_node);
        let evaluation = match &self.key {
            KeySpec::Expression(expression) => Some(Evaluation::new(expression, view)),
            KeySpec::Field(_) | KeySpec::None => None,
        };
        let key = match (&self.key, &evaluation) {
            (KeySpec::Field(name), _) => field_key(view, name).map_err(at_key)?,
            (_, Some(evaluation)) => key_column(evaluation.evaluate().map_err(at_key)?, view)?,
            // Everything belongs together: any constant does.
            _ => fixed_key(LeafKind::Bool, vec![0; view.rows()]),
        };
        let evaluations: Vec<Evaluation<'_, '_>> = self
            .inputs
            .iter()
            .map(|input| Evaluation::new(&input.expression, view))
            .collect();
        let inputs = self
            .inputs
            .iter()
            .zip(&evaluations)
            .map(|(input, evaluation)| input_column(evaluation.evaluate()?, view, &input.called))
            .collect::<Result<Vec<_>>>()?;
        let row = Node::tuple(inputs.iter().map(|input| input.node.clone()));
        self.maker
            .make(Some(key), times, row, inputs, view.rows(), registry, meta)
    }
}

/// # Errors
/// `SAGE_KEY_MISSING_FIELD` with `row` for a record without the field.
fn field_key<'v>(view: &BatchView<'v>, name: &str) -> Result<BuiltColumn<'v>> {
    let missing = |row: usize| {
        SageError::new(
            ErrorCode::KeyMissingField,
            format!("the record has no field '{name}'"),
        )
        .with("row", row)
    };
    let layout = view.layout();
    let row_node = layout.row_node();
    let path = [name.to_owned()];
    let source = Source::find(view, &path);
    let record_presence = view.node(row_node).and_then(|column| column.presence);
    if let Some(row) =
        record_presence.and_then(|presence| presence.iter().position(|&one| one != presence::VALUE))
    {
        return Err(missing(row));
    }
    match layout.nodes()[row_node].kind {
        PlannedKind::Record => {
            let Some(field) = layout.field(row_node, name) else {
                return Err(missing(0));
            };
            let presence = view.node(field).and_then(|column| column.presence);
            if let Some(row) =
                presence.and_then(|presence| presence.iter().position(|&one| one == presence::MISSING))
            {
                return Err(missing(row));
            }
        }
        PlannedKind::Leaf(LeafKind::Json) => {
            if let SourceData::Json { rows, .. } = &source.data
                && let Some(row) = (0..rows.len()).find(|&row| {
                    rows.row_str(row)
                        .and_then(|text| json_field(text, name))
                        .is_none()
                })
            {
                return Err(missing(row));
            }
        }
        PlannedKind::Tuple | PlannedKind::Leaf(_) => return Err(missing(0)),
    }
    let expression = crate::expression::Expression::column(path.into());
    let evaluation = Evaluation::new(&expression, view);
    key_column(evaluation.evaluate()?, view).map(BuiltColumn::into_owned)
}

fn fixed_key<'v>(kind: LeafKind, values: Vec<u8>) -> BuiltColumn<'v> {
    BuiltColumn {
        node: Node::leaf(kind),
        buffers: vec![Cow::Owned(values)],
        encodings: Vec::new(),
    }
}

/// The key column of what an expression gave: of one kind, or canonical bytes.
fn key_column<'v>(evaluated: Evaluated<'v>, view: &BatchView<'_>) -> Result<BuiltColumn<'v>> {
    let values = match evaluated {
        Evaluated::Vector(
            vector @ (Vector::Numbers { nulls: None, .. }
            | Vector::Booleans { nulls: None, .. }
            | Vector::Texts { nulls: None, .. }
            | Vector::Constant(Value::Number(_) | Value::Boolean(_) | Value::Text(_))),
        ) => return BuiltColumn::of(Evaluated::Vector(vector), view, false, Mixed::Any),
        Evaluated::Vector(vector) => (0..view.rows())
            .map(|row| vector.value(row).into_owned())
            .collect(),
        Evaluated::Values(values) => values,
    };
    let is_of = |wanted: Kind| values.iter().all(|value| value.kind() == wanted);
    if is_of(Kind::Number) || is_of(Kind::Boolean) || is_of(Kind::Text) {
        return BuiltColumn::of(Evaluated::Values(values), view, false, Mixed::Any)
            .map(BuiltColumn::into_owned);
    }
    let mut ends: Vec<u32> = Vec::with_capacity(values.len());
    let mut data = Vec::new();
    for value in &values {
        push_canonical(value, view, &mut data);
        let end = u32::try_from(data.len());
        ends.push(
            end.map_err(|_| SageError::new(ErrorCode::LimitBatch, "one column would be larger than 2 GiB"))?,
        );
    }
    Ok(BuiltColumn {
        node: Node::leaf(LeafKind::Bytes),
        buffers: vec![Cow::Owned(bytemuck::cast_slice(&ends).to_vec()), Cow::Owned(data)],
        encodings: Vec::new(),
    })
}

/// # Errors
/// `SAGE_AGGREGATE_INPUT` with `row` for what is no number.
fn input_column<'v>(evaluated: Evaluated<'v>, view: &BatchView<'_>, called: &str) -> Result<BuiltColumn<'v>> {
    let wrong = |row: usize, value: &Value<'_>| {
        SageError::new(
            ErrorCode::AggregateInput,
            format!(
                "'{called}' needs numbers; a record gave {}",
                described_input(value)
            ),
        )
        .with("row", row)
    };
    let is_wrong = |value: &Value<'_>| !matches!(value.kind(), Kind::Number | Kind::Null);
    match evaluated {
        Evaluated::Vector(
            vector @ (Vector::Numbers { .. } | Vector::Constant(Value::Number(_) | Value::Null)),
        ) => BuiltColumn::of(Evaluated::Vector(vector), view, false, Mixed::Any),
        Evaluated::Vector(vector) => match (0..view.rows()).find(|&row| is_wrong(&vector.value(row))) {
            Some(row) => Err(wrong(row, &vector.value(row))),
            None => BuiltColumn::of(
                Evaluated::Vector(Vector::Constant(Value::Null)),
                view,
                false,
                Mixed::Any,
            ),
        },
        Evaluated::Values(values) => match values.iter().position(is_wrong) {
            Some(row) => Err(wrong(row, &values[row])),
            None => BuiltColumn::of(Evaluated::Values(values), view, false, Mixed::Any),
        },
    }
}
