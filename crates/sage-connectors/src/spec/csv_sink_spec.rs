//! What a writer of CSV is asked to do.

use serde::Deserialize;

use crate::spec::csv_delimiter::structural;
use crate::spec::{InvalidStrings, LineCompression};

/// `{"type":"csv","path":…}`: each record, an object, a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CsvSinkSpec {
    #[serde(default)]
    pub(crate) append: bool,
    #[serde(default)]
    pub(crate) compression: LineCompression,
    #[serde(default)]
    pub(crate) compression_level: Option<u8>,
    #[serde(default)]
    pub(crate) invalid_strings: InvalidStrings,
    /// Whether names of columns are the first line.
    #[serde(default = "default_header")]
    pub(crate) header: bool,
    /// The fields to write; those of the first record when it is not given.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,
    #[serde(default = "super::csv_delimiter::default_delimiter")]
    pub(crate) delimiter: String,
    #[serde(default)]
    pub(crate) quote: CsvSinkQuote,
    #[serde(default = "default_eol")]
    pub(crate) eol: String,
    /// What stands for `null`, `undefined` and missing fields.
    #[serde(default)]
    pub(crate) null_text: String,
    /// Whether the file begins with a byte order mark.
    #[serde(default)]
    pub(crate) bom: bool,
}

/// Which cells are put in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CsvSinkQuote {
    /// Those that could not be read otherwise.
    #[default]
    Needed,
    /// All but those that are null.
    Always,
}

const fn default_header() -> bool {
    true
}

fn default_eol() -> String {
    "\n".to_owned()
}

impl CsvSinkSpec {
    /// The delimiter; what is wrong with the settings otherwise.
    pub(crate) fn check(&self) -> Result<u8, String> {
        let delimiter = structural("delimiter", &self.delimiter)?;
        if delimiter == b'"' {
            return Err("the delimiter must not be a quote".to_owned());
        }
        if !matches!(self.eol.as_str(), "\n" | "\r\n") {
            return Err(format!("eol must be a line end, not {:?}", self.eol));
        }
        if self
            .null_text
            .bytes()
            .any(|byte| byte == delimiter || b"\"\r\n".contains(&byte))
        {
            return Err("nullText must not have a delimiter, quote or line end".to_owned());
        }
        Ok(delimiter)
    }
}
