//! Chains of operators as TypeScript hands them over.

use sage_types::{ErrorCode, Result, SageError};
use serde_json::Value as Json;

use crate::built_column::Mixed;
use crate::expression::Expression;

/// One operator of a chain.
#[derive(Debug)]
pub(crate) struct OperatorSpec {
    /// Its node in the stage: where it is counted, and what errors are told of.
    pub(crate) node: usize,
    pub(crate) kind: OperatorKind,
}

#[derive(Debug)]
pub(crate) enum OperatorKind {
    Filter(Expression),
    Select {
        columns: Vec<(String, Expression)>,
        keeps_others: bool,
        mixed: Mixed,
    },
    /// Event times from a field.
    Timestamps(TimestampSpec),
    /// Key and inputs of an aggregate.
    Extract {
        /// The node of the `keyBy`.
        key_node: usize,
        key: KeySpec,
        inputs: Vec<InputSpec>,
    },
}

#[derive(Debug)]
pub(crate) enum KeySpec {
    Expression(Expression),
    /// A field that every record has to have.
    Field(String),
    /// One group of everything.
    None,
}

/// An input of an aggregator.
#[derive(Debug)]
pub(crate) struct InputSpec {
    pub(crate) expression: Expression,
    /// As messages call it: `total: sum(...)`.
    pub(crate) called: String,
}

/// Where event times come from, in milliseconds.
#[derive(Debug)]
pub(crate) struct TimestampSpec {
    pub(crate) field: String,
    /// A record may come so much later than one with a greater timestamp.
    pub(crate) out_of_orderness_ms: f64,
    /// A timestamp may be so far ahead of the clock; infinity for any.
    pub(crate) max_ahead_ms: f64,
}

impl TimestampSpec {
    fn from_json(json: &Json) -> Result<Self> {
        let number = |name: &str| json[name].as_f64();
        Ok(Self {
            field: text(&json["field"])?,
            out_of_orderness_ms: number("outOfOrdernessMs")
                .ok_or_else(|| malformed("a number is missing"))?,
            max_ahead_ms: number("maxAheadMs").unwrap_or(f64::INFINITY),
        })
    }
}

/// A chain as it was handed over.
pub(crate) struct ChainSpec {
    pub(crate) nodes: usize,
    pub(crate) operators: Vec<OperatorSpec>,
    /// Whether what it gives has event times, where records have such.
    pub(crate) timed: bool,
}

/// Reads a chain.
///
/// # Errors
/// `SAGE_FORMAT_GRAPH` when it is none.
pub(crate) fn parse(json: &str) -> Result<ChainSpec> {
    let json: Json =
        serde_json::from_str(json).map_err(|error| malformed("it is no JSON").caused_by(error))?;
    let nodes = index(&json["nodes"])?;
    let operators = list(&json["operators"])?
        .iter()
        .map(operator)
        .collect::<Result<Vec<_>>>()?;
    if operators.iter().any(|operator| operator.node >= nodes) {
        return Err(malformed("an operator has no node"));
    }
    Ok(ChainSpec {
        nodes,
        operators,
        timed: json["timed"].as_bool() == Some(true),
    })
}

fn malformed(why: &str) -> SageError {
    SageError::new(ErrorCode::FormatGraph, format!("malformed chain: {why}"))
}

fn index(json: &Json) -> Result<usize> {
    let index = json.as_u64().and_then(|index| usize::try_from(index).ok());
    index.ok_or_else(|| malformed("a number is missing"))
}

fn list(json: &Json) -> Result<&Vec<Json>> {
    json.as_array().ok_or_else(|| malformed("a list is missing"))
}

fn text(json: &Json) -> Result<String> {
    json.as_str()
        .map(str::to_owned)
        .ok_or_else(|| malformed("a text is missing"))
}

fn operator(json: &Json) -> Result<OperatorSpec> {
    let node = index(&json["node"])?;
    let kind = if json["filter"].is_object() {
        OperatorKind::Filter(Expression::from_json(&json["filter"])?)
    } else if json["select"].is_array() {
        let column = |column: &Json| Ok((text(&column[0])?, Expression::from_json(&column[1])?));
        OperatorKind::Select {
            columns: list(&json["select"])?.iter().map(column).collect::<Result<_>>()?,
            keeps_others: json["keepsOthers"].as_bool() == Some(true),
            mixed: if json["mixed"] == "json" {
                Mixed::Json
            } else {
                Mixed::Any
            },
        }
    } else if json["timestamps"].is_object() {
        OperatorKind::Timestamps(TimestampSpec::from_json(&json["timestamps"])?)
    } else {
        let input = |input: &Json| {
            Ok(InputSpec {
                expression: Expression::from_json(&input["expression"])?,
                called: text(&input["called"])?,
            })
        };
        OperatorKind::Extract {
            key_node: index(&json["keyNode"])?,
            key: key(&json["key"])?,
            inputs: list(&json["inputs"])?.iter().map(input).collect::<Result<_>>()?,
        }
    };
    Ok(OperatorSpec { node, kind })
}

fn key(json: &Json) -> Result<KeySpec> {
    if json.is_null() {
        return Ok(KeySpec::None);
    }
    match json["field"].as_str() {
        Some(name) => Ok(KeySpec::Field(name.to_owned())),
        None => Expression::from_json(json).map(KeySpec::Expression),
    }
}
