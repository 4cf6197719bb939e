//! Which cells are null.

use crate::formats::csv::column_type::CsvType;

/// The texts that stand for null.
#[derive(Debug, Clone)]
pub(crate) struct Nulls {
    texts: Vec<Vec<u8>>,
    /// The user named them: then they hold in text columns too.
    given: bool,
    numeric: bool,
}

impl Nulls {
    /// Without texts of the user's own, an empty cell is null where it could be nothing else.
    pub(crate) fn new(texts: Option<&[String]>) -> Self {
        let numeric = |text: &String| text.bytes().any(|byte| byte.is_ascii_digit());
        Self {
            texts: match texts {
                Some(texts) => texts.iter().map(|text| text.clone().into_bytes()).collect(),
                None => vec![Vec::new()],
            },
            given: texts.is_some(),
            numeric: texts.is_some_and(|texts| texts.iter().any(numeric)),
        }
    }

    /// Whether a number may stand for null.
    #[inline]
    pub(crate) fn may_be_numbers(&self) -> bool {
        self.numeric
    }

    /// Whether a cell is null. In a text column, quotes make any text a string.
    #[inline]
    pub(crate) fn is_null(&self, text: &[u8], quoted: bool, kind: CsvType) -> bool {
        if kind == CsvType::Text && (!self.given || quoted) {
            return false;
        }
        self.texts.iter().any(|null| null == text)
    }
}
