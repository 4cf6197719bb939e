//! A field name as the file writes it.

/// Bytes that are compared at once.
const WORD_BYTES: usize = 16;

/// A field name with its quotes and escapes, made to be found again quickly: it is what comes next in most lines.
#[derive(Debug)]
pub(crate) struct QuotedName {
    bytes: Box<[u8]>,
    /// The first bytes, and which of them count: names are short, and a call to compare them is not.
    first: u128,
    mask: u128,
}

impl QuotedName {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut first = [0; WORD_BYTES];
        let mut mask = [0; WORD_BYTES];
        for (index, &byte) in bytes.iter().take(WORD_BYTES).enumerate() {
            first[index] = byte;
            mask[index] = 0xFF;
        }
        Self {
            bytes: bytes.into(),
            first: u128::from_le_bytes(first),
            mask: u128::from_le_bytes(mask),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the name is at this position.
    #[inline]
    pub(crate) fn is_at(&self, text: &[u8], at: usize) -> bool {
        let rest = text.get(at..).unwrap_or_default();
        match rest.first_chunk::<WORD_BYTES>() {
            Some(word) if self.bytes.len() <= WORD_BYTES => {
                (u128::from_le_bytes(*word) ^ self.first) & self.mask == 0
            }
            _ => rest.starts_with(&self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_it_is_and_nowhere_else() {
        for name in [
            "\"\"",
            "\"a\"",
            "\"fourteen bytes\"",
            "\"fifteen bytes..\"",
            "\"a name of more than sixteen bytes\"",
        ] {
            let quoted = QuotedName::new(name.as_bytes());
            assert_eq!(quoted.len(), name.len());
            for tail in ["", ":1", ":\"a long value behind the name\""] {
                let text = format!("{{{name}{tail}");
                for at in 0..text.len() + 2 {
                    let expected = text
                        .as_bytes()
                        .get(at..)
                        .is_some_and(|rest| rest.starts_with(name.as_bytes()));
                    assert_eq!(quoted.is_at(text.as_bytes(), at), expected, "{text} at {at}");
                }
            }
        }
    }
}
