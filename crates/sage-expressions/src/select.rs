//! New records of expressions.

use sage_frame::{BatchView, ColumnData, Frame, FrameMeta, LayoutRegistry, Node, PlannedKind, presence};
use sage_types::{ErrorCode, Result, SageError};

use crate::built_column::{BuiltColumn, Mixed};
use crate::evaluate::Evaluation;
use crate::expression::{self, Expression};
use crate::json_value::{json_value, members, unescape};
use crate::nested::survives_json;
use crate::new_batch::BatchMaker;
use crate::source::Source;
use crate::text::Text;
use crate::value::{Kind, Value};

/// A `select` or `withColumn`.
#[derive(Debug)]
pub(crate) struct Select {
    columns: Vec<Column>,
    keeps_others: bool,
    mixed: Mixed,
    maker: BatchMaker,
}

#[derive(Debug)]
struct Column {
    name: String,
    expression: Expression,
    /// It has been null in some batch.
    optional: bool,
}

impl Select {
    pub(crate) fn new(columns: Vec<(String, Expression)>, keeps_others: bool, mixed: Mixed) -> Self {
        let columns = columns
            .into_iter()
            .map(|(name, expression)| Column {
                name,
                expression,
                optional: false,
            })
            .collect();
        Self {
            columns,
            keeps_others,
            mixed,
            maker: BatchMaker::default(),
        }
    }

    /// The new batch.
    ///
    /// # Errors
    /// `SAGE_EXPRESSION_VALUE` with `row`; `SAGE_LIMIT_*`.
    pub(crate) fn apply(
        &mut self,
        view: &BatchView<'_>,
        meta: FrameMeta,
        registry: &LayoutRegistry,
    ) -> Result<Frame> {
        let row_node = view.layout().row_node();
        let is_record = view.layout().nodes()[row_node].kind == PlannedKind::Record;
        if self.keeps_others
            && let Some(row) = is_record.then(|| first_absent(view)).flatten()
        {
            return Err(no_object(&Value::Null, row));
        }
        let evaluations: Vec<Evaluation<'_, '_>> = self
            .columns
            .iter()
            .map(|column| Evaluation::new(&column.expression, view))
            .collect();
        if self.keeps_others && !is_record {
            let record = beside_members(view, &self.columns, &evaluations, self.mixed)?;
            let row = record.node.clone();
            return self
                .maker
                .make(None, None, row, vec![record], view.rows(), registry, meta);
        }
        let mut built = Vec::with_capacity(self.columns.len());
        for (column, evaluation) in self.columns.iter().zip(&evaluations) {
            built.push(column.build(evaluation, view, self.mixed)?);
        }
        let optional: Vec<bool> = built.iter().map(|column| column.node.is_optional()).collect();
        let (row, columns) = if self.keeps_others {
            beside_others(view, &self.columns, built)
        } else {
            let fields = self
                .columns
                .iter()
                .zip(&built)
                .map(|(column, built)| (column.name.clone(), built.node.clone()));
            (Node::record(fields), built)
        };
        let frame = self
            .maker
            .make(None, None, row, columns, view.rows(), registry, meta)?;
        for (column, optional) in self.columns.iter_mut().zip(optional) {
            column.optional |= optional;
        }
        Ok(frame)
    }
}

impl Column {
    fn build<'v, 'a: 'v>(
        &self,
        evaluation: &'v Evaluation<'_, 'a>,
        view: &BatchView<'a>,
        mixed: Mixed,
    ) -> Result<BuiltColumn<'v>> {
        // A column as it is need not be looked at.
        if let expression::Node::Column { index, .. } = &self.expression.root
            && let Some(path) = self.expression.columns.get(*index)
            && let Some(node) = Source::node_at(view, path)
            && !matches!(
                view.node(node).map(|column| column.data),
                Some(ColumnData::Nil) | None
            )
        {
            let absent = Source::find(view, path).absent;
            return Ok(BuiltColumn::copied(view, node, absent, self.optional, true));
        }
        BuiltColumn::of(evaluation.evaluate()?, view, self.optional, mixed)
    }
}

/// The row of a batch with some columns replaced, and others behind it.
fn beside_others<'v, 'a: 'v>(
    view: &BatchView<'a>,
    columns: &[Column],
    built: Vec<BuiltColumn<'v>>,
) -> (Node, Vec<BuiltColumn<'v>>) {
    let layout = view.layout();
    let nodes = layout.nodes();
    let mut fields = Vec::new();
    let mut all = Vec::new();
    let mut new: Vec<Option<BuiltColumn<'v>>> = built.into_iter().map(Some).collect();
    for &child in &nodes[layout.row_node()].children {
        let name = nodes[child].name.as_deref().unwrap_or_default();
        let replaced = columns.iter().position(|column| column.name == name);
        let column = replaced
            .and_then(|place| new[place].take())
            .unwrap_or_else(|| BuiltColumn::copied(view, child, None, false, false));
        fields.push((name.to_owned(), column.node.clone()));
        all.push(column);
    }
    for (column, built) in columns.iter().zip(new) {
        if let Some(built) = built {
            fields.push((column.name.clone(), built.node.clone()));
            all.push(built);
        }
    }
    (Node::record(fields), all)
}

/// The first row without a record.
fn first_absent(view: &BatchView<'_>) -> Option<usize> {
    let presence = view.node(view.layout().row_node())?.presence?;
    presence.iter().position(|&presence| presence != presence::VALUE)
}

/// Records that are JSON texts, with one more member in each.
///
/// # Errors
/// `SAGE_EXPRESSION_VALUE` with `row`; `SAGE_LIMIT_BATCH`.
fn beside_members<'v>(
    view: &BatchView<'_>,
    columns: &[Column],
    evaluations: &[Evaluation<'_, '_>],
    mixed: Mixed,
) -> Result<BuiltColumn<'v>> {
    let records = Source::find(view, &[]);
    let mut rows = Vec::with_capacity(view.rows());
    let mut survive = true;
    for row in 0..view.rows() {
        let Value::Json(record) = records.value(row) else {
            return Err(no_object(&records.value(row), row));
        };
        if !record.starts_with('{') {
            return Err(no_object(&Value::Json(record), row));
        }
        let mut members: Vec<(Text<'_>, Value<'_>)> = members(&record)
            .map(|(name, value)| (unescape(name).into_owned(), json_value(value).into_owned()))
            .collect();
        for (column, evaluation) in columns.iter().zip(evaluations) {
            let value = evaluation.value(row)?;
            survive &= survives_json(&value);
            let name = Text::from(&*column.name);
            match members.iter_mut().find(|(known, _)| *known == name) {
                Some((_, place)) => *place = value,
                None => members.push((name, value)),
            }
        }
        rows.push(members);
    }
    BuiltColumn::of_members(&rows, view, mixed == Mixed::Json || survive)
}

fn no_object(value: &Value<'_>, row: usize) -> SageError {
    let what = match value.kind() {
        Kind::Null => "null",
        kind => kind.described(),
    };
    SageError::new(
        ErrorCode::ExpressionValue,
        format!("the record is {what}, and withColumn needs an object"),
    )
    .with("row", row)
}
