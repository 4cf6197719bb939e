//! Expressions as TypeScript hands them over.

use sage_types::{ErrorCode, Result, SageError};
use serde_json::Value as Json;

use crate::operation::Operation;
use crate::text::Text;
use crate::value::Value;

/// An expression with the columns that it reads.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(crate) root: Node,
    /// Each path once: names of fields, outermost first.
    pub(crate) columns: Vec<Box<[String]>>,
}

/// What an expression computes, as a tree.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// The value of a column, by its place in [`Expression::columns`].
    Column {
        index: usize,
        text: Box<str>,
    },
    Literal {
        value: Value<'static>,
        text: Box<str>,
    },
    Call(Call),
}

/// An operation on the values of other expressions.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) operands: Vec<Node>,
    pub(crate) text: Box<str>,
}

impl Node {
    /// As people write it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Column { text, .. } | Self::Literal { text, .. } | Self::Call(Call { text, .. }) => text,
        }
    }
}

impl Expression {
    /// Reads an expression: `{"text":...}` with `"path":[...]`, `"number":"1.5"`, `"string":[units] | "text"`,
    /// `"boolean":true`, `"date":"0"`, `"null":true`, or `"operation":name,"operands":[...]`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is none.
    pub fn from_json(json: &Json) -> Result<Self> {
        let mut columns = Vec::new();
        let root = node(json, &mut columns)?;
        Ok(Self { root, columns })
    }

    /// The value of a column as it is.
    pub(crate) fn column(path: Box<[String]>) -> Self {
        let text = path.join(".").into();
        Self {
            root: Node::Column { index: 0, text },
            columns: vec![path],
        }
    }
}

fn malformed(why: &str) -> SageError {
    SageError::new(ErrorCode::FormatGraph, format!("malformed expression: {why}"))
}

fn node(json: &Json, columns: &mut Vec<Box<[String]>>) -> Result<Node> {
    let text: Box<str> = json["text"].as_str().unwrap_or_default().into();
    if let Some(path) = json["path"].as_array() {
        let path: Option<Box<[String]>> = path.iter().map(|name| name.as_str().map(str::to_owned)).collect();
        let path = path
            .filter(|path| !path.is_empty())
            .ok_or_else(|| malformed("a path has no names"))?;
        let index = columns
            .iter()
            .position(|known| *known == path)
            .unwrap_or_else(|| {
                columns.push(path);
                columns.len() - 1
            });
        return Ok(Node::Column { index, text });
    }
    if let Some(name) = json["operation"].as_str() {
        let operation =
            Operation::from_name(name).ok_or_else(|| malformed(&format!("there is no operation {name}")))?;
        let operands = json["operands"]
            .as_array()
            .ok_or_else(|| malformed("there are no operands"))?;
        let operands = operands
            .iter()
            .map(|operand| node(operand, columns))
            .collect::<Result<Vec<_>>>()?;
        if operands.len() < least_operands(operation) {
            return Err(malformed(&format!("{name} has too few operands")));
        }
        return Ok(Node::Call(Call {
            operation,
            operands,
            text,
        }));
    }
    Ok(Node::Literal {
        value: literal(json)?,
        text,
    })
}

const fn least_operands(operation: Operation) -> usize {
    match operation {
        Operation::Add
        | Operation::Sub
        | Operation::Mul
        | Operation::Div
        | Operation::Mod
        | Operation::Eq
        | Operation::Ne
        | Operation::Gt
        | Operation::Ge
        | Operation::Lt
        | Operation::Le
        | Operation::And
        | Operation::Or
        | Operation::StartsWith
        | Operation::EndsWith
        | Operation::Contains
        | Operation::Slice
        | Operation::Truncate => 2,
        Operation::Between | Operation::Cond | Operation::Replace => 3,
        _ => 1,
    }
}

fn literal(json: &Json) -> Result<Value<'static>> {
    let number = |key: &str| json[key].as_str().and_then(|text| text.parse::<f64>().ok());
    if let Some(number) = number("number") {
        return Ok(Value::Number(number));
    }
    if let Some(millis) = number("date") {
        return Ok(Value::Date(millis));
    }
    if let Some(boolean) = json["boolean"].as_bool() {
        return Ok(Value::Boolean(boolean));
    }
    match &json["string"] {
        Json::String(text) => return Ok(Value::Text(Text::from(text.as_str()).into_owned())),
        Json::Array(units) => {
            let units: Option<Vec<u16>> = units
                .iter()
                .map(|unit| unit.as_u64().and_then(|unit| u16::try_from(unit).ok()))
                .collect();
            return Ok(Value::Text(Text::from_units(
                units.ok_or_else(|| malformed("a text has a unit that is none"))?,
            )));
        }
        _ => {}
    }
    if json["null"].as_bool() == Some(true) {
        return Ok(Value::Null);
    }
    Err(malformed("a constant has no value"))
}
