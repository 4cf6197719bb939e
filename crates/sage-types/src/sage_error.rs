//! The one error type of the core: a stable code, what happened, and the path to the culprit.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::ErrorCode;

/// Whose fault an error is, and so who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorDomain {
    /// The program that uses SAGE Kernel.
    User,
    /// The world around it: files, memory, other processes.
    External,
    /// SAGE Kernel itself.
    Internal,
}

impl ErrorDomain {
    /// The word that JavaScript knows it by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::External => "external",
            Self::Internal => "internal",
        }
    }
}

/// One detail of an error.
#[derive(Debug, Clone, PartialEq)]
pub enum ErrorValue {
    /// A name, path or text.
    Text(String),
    /// A count, position or id.
    Number(f64),
}

impl From<&str> for ErrorValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ErrorValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for ErrorValue {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for ErrorValue {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}

impl From<u64> for ErrorValue {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

impl From<usize> for ErrorValue {
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}

impl fmt::Display for ErrorValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// What every fallible call of the core returns.
pub type Result<T, E = SageError> = std::result::Result<T, E>;

/// An error of the core.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct SageError {
    /// Its row in the error table.
    pub code: ErrorCode,
    /// What happened, in one sentence, with names and positions.
    pub message: String,
    /// The same names and positions for programs: `file`, `line`, `byte`, `operator`, `task` ...
    pub context: BTreeMap<&'static str, ErrorValue>,
    /// The message of the error below, if any.
    pub cause: Option<String>,
}

impl SageError {
    /// An error without context and cause.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            context: BTreeMap::new(),
            cause: None,
        }
    }

    /// Adds a detail; a later value for the same key wins.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<ErrorValue>) -> Self {
        self.context.insert(key, value.into());
        self
    }

    /// Adds the error below.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The form in which the error crosses into JavaScript:
    /// `{"code","message","domain","retryable","help","context":{...},"cause":string|null}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let context: Map<String, Value> = self
            .context
            .iter()
            .map(|(&key, value)| {
                let value = match value {
                    ErrorValue::Text(text) => Value::from(text.as_str()),
                    // Not a number or infinite becomes null, as in JSON.stringify.
                    ErrorValue::Number(number) => Value::from(*number),
                };
                (key.to_owned(), value)
            })
            .collect();
        serde_json::json!({
            "code": self.code.as_str(),
            "message": self.message,
            "domain": self.code.domain().as_str(),
            "retryable": self.code.is_retryable(),
            "help": self.code.help(),
            "context": context,
            "cause": self.cause,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_prints_its_code_and_message() {
        let error =
            SageError::new(ErrorCode::IoNotFound, "bids.jsonl does not exist").with("file", "bids.jsonl");
        assert_eq!(error.to_string(), "SAGE_IO_NOT_FOUND: bids.jsonl does not exist");
    }

    #[test]
    fn an_error_crosses_as_json_with_its_row_of_the_table() {
        let error = SageError::new(ErrorCode::FormatJson, "broken \"line\"\n")
            .with("line", 3_u32)
            .with("file", "a\\b")
            .with("ratio", f64::NAN)
            .caused_by("EOF");

        let json: Value = serde_json::from_str(&error.to_json()).unwrap();

        assert_eq!(json["code"], "SAGE_FORMAT_JSON");
        assert_eq!(json["message"], "broken \"line\"\n");
        assert_eq!(json["domain"], "external");
        assert_eq!(json["retryable"], false);
        assert_eq!(json["context"]["line"], 3.0);
        assert_eq!(json["context"]["file"], "a\\b");
        assert_eq!(json["context"]["ratio"], Value::Null);
        assert_eq!(json["cause"], "EOF");
        assert!(json["help"].as_str().unwrap().len() > 10);
    }

    #[test]
    fn the_generated_codes_are_those_of_the_table() {
        let table: Vec<Value> = serde_json::from_str(include_str!("../errors.json")).unwrap();
        assert_eq!(table.len(), ErrorCode::ALL.len());
        for (row, code) in table.iter().zip(ErrorCode::ALL) {
            assert_eq!(row["code"], code.as_str());
            assert_eq!(row["domain"], code.domain().as_str());
            assert_eq!(row["retryable"], code.is_retryable());
            assert_eq!(row["message"], code.message());
            assert_eq!(row["help"], code.help());
            assert_eq!(ErrorCode::from_name(code.as_str()), Some(*code));
        }
        assert_eq!(ErrorCode::from_name("SAGE_NO_SUCH"), None);
    }
}
