//! What an aggregate computes.

use sage_frame::{LeafKind, Node};
use sage_types::{ErrorCode, Result, SageError};

/// A built-in aggregator of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateKind {
    /// Number of rows.
    Count,
    /// Sum of the inputs, 0 of none.
    Sum,
    /// Mean of the inputs, null of none.
    Avg,
    /// Smallest input, null of none; NaN when there is one.
    Min,
    /// Greatest input, null of none; NaN when there is one.
    Max,
    /// The input that came first, null of none.
    First,
    /// The input that came last, null of none.
    Last,
}

impl AggregateKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Count,
        Self::Sum,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::First,
        Self::Last,
    ];

    /// The name that JavaScript knows it by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether a result may be null: the column is then `f64?`, else `f64`.
    #[must_use]
    pub const fn is_nullable(self) -> bool {
        !matches!(self, Self::Count | Self::Sum)
    }

    /// The column of results in a layout.
    #[must_use]
    pub fn result_node(self) -> Node {
        let number = Node::leaf(LeafKind::F64);
        if self.is_nullable() {
            number.optional()
        } else {
            number
        }
    }
}

/// One result column of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AggregateSpec {
    /// What is computed.
    pub kind: AggregateKind,
    /// Column of the row tuple that it is computed from. Needed by all but [`AggregateKind::Count`], which ignores it.
    pub input: Option<usize>,
}

impl AggregateSpec {
    /// Reads `[{"kind":"count"},{"kind":"sum","input":0},...]`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is anything else.
    pub fn list_from_json(json: &str) -> Result<Vec<Self>> {
        let malformed = |why: &str| {
            SageError::new(ErrorCode::FormatGraph, format!("malformed aggregate: {why}")).with("spec", json)
        };
        let list: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(json)
            .map_err(|error| malformed("it is not a list of objects").caused_by(error))?;
        list.iter()
            .map(|spec| {
                let kind = spec.get("kind").and_then(|kind| kind.as_str());
                let kind = kind.and_then(AggregateKind::from_name);
                let input = match spec.get("input") {
                    None | Some(serde_json::Value::Null) => None,
                    Some(input) => {
                        let index = input.as_u64().and_then(|index| usize::try_from(index).ok());
                        Some(index.ok_or_else(|| malformed("an input is not the number of a column"))?)
                    }
                };
                Ok(Self {
                    kind: kind.ok_or_else(|| malformed("there is no aggregator of this kind"))?,
                    input,
                })
            })
            .collect()
    }

    /// Checks that all aggregators that need an input have one.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when one has none.
    pub(crate) fn check_inputs(specs: &[Self]) -> Result<()> {
        let lacks_input = |spec: &&Self| spec.input.is_none() && spec.kind != AggregateKind::Count;
        match specs.iter().find(lacks_input) {
            None => Ok(()),
            Some(spec) => Err(SageError::new(
                ErrorCode::FormatGraph,
                format!("malformed aggregate: {} has no input", spec.kind.as_str()),
            )),
        }
    }

    /// The row of results in a layout: a tuple with a column for each aggregator.
    #[must_use]
    pub fn results_node(specs: &[Self]) -> Node {
        Node::tuple(specs.iter().map(|spec| spec.kind.result_node()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_javascript_writes_it() {
        let specs = AggregateSpec::list_from_json(r#"[{"kind":"count"},{"kind":"avg","input":1}]"#).unwrap();
        assert_eq!(
            specs,
            [
                AggregateSpec {
                    kind: AggregateKind::Count,
                    input: None
                },
                AggregateSpec {
                    kind: AggregateKind::Avg,
                    input: Some(1)
                },
            ]
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for json in [
            "",
            "{}",
            "[1]",
            r#"[{"kind":"median"}]"#,
            r#"[{"kind":"sum","input":-1}]"#,
            "[{}]",
        ] {
            let error = AggregateSpec::list_from_json(json).unwrap_err();
            assert_eq!(error.code, ErrorCode::FormatGraph, "{json}");
        }
    }
}
