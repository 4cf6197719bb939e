//! A pattern of paths such as `logs/**/*.{jsonl,gz}`.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use sage_types::{ErrorCode, Result, SageError};

/// Characters that make a path a pattern where no file has its literal name.
const MAGIC: &[char] = &['*', '?', '[', '{'];

/// Whether a path that does not exist may be a pattern.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(MAGIC)
}

/// A directory to start at, and what the paths below it look like.
#[derive(Debug)]
pub(crate) struct GlobPattern {
    /// The parts in front of the first one with a special character.
    pub(crate) base: PathBuf,
    whole: GlobMatcher,
    /// For the part of each level, as long as a level has one part: a directory that does not match is not entered.
    levels: Vec<GlobMatcher>,
    /// The parts below `base` as they were written.
    parts: Vec<String>,
}

impl GlobPattern {
    /// # Errors
    /// `SAGE_PLAN_ARGUMENT` for a pattern that is none, such as one whose bracket is not closed.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let all = split_parts(text);
        let is_special = |part: &&str| part.contains(MAGIC) || part.contains('\\');
        let literal = all.iter().take_while(|part| !is_special(part)).count();
        let (base, below) = all.split_at(literal.min(all.len() - 1));
        let base = match base {
            [] => ".".to_owned(),
            [""] => "/".to_owned(),
            parts => parts.join("/"),
        };
        let below: Vec<&str> = below.iter().copied().filter(|part| !part.is_empty()).collect();
        let compile = |glob: &str| {
            let built = GlobBuilder::new(glob)
                .literal_separator(true)
                .empty_alternates(true)
                .build();
            built
                .map(|glob| glob.compile_matcher())
                .map_err(|error| not_a_pattern(text, &error))
        };
        let one_level = |part: &&&str| **part != "**" && !part.contains('/');
        Ok(Self {
            base: base.into(),
            whole: compile(&below.join("/"))?,
            levels: below
                .iter()
                .take_while(one_level)
                .map(|part| compile(part))
                .collect::<Result<_>>()?,
            parts: below.iter().map(|&part| part.to_owned()).collect(),
        })
    }

    /// How many levels there are below the base; `None` for any number.
    pub(crate) fn depth(&self) -> Option<usize> {
        (self.levels.len() == self.parts.len()).then_some(self.parts.len())
    }

    /// Whether a file is meant; `below` is its path below the base.
    pub(crate) fn matches(&self, below: &Path) -> bool {
        self.whole.is_match(below)
    }

    /// Whether a directory may have files that are meant.
    pub(crate) fn enters(&self, below: &Path) -> bool {
        let mut levels = self.levels.iter();
        below
            .components()
            .all(|name| levels.next().is_none_or(|level| level.is_match(name.as_os_str())))
    }

    /// Whether the pattern says at this level (from 0) that it means names that begin like `name`, which is hidden.
    pub(crate) fn names_hidden(&self, level: usize, name: &str) -> bool {
        let meant = |part: &String| part.chars().next() == name.chars().next();
        if level < self.levels.len() {
            return self.parts.get(level).is_some_and(meant);
        }
        self.parts[self.levels.len()..].iter().any(meant)
    }

    /// Whether the pattern means temporary files.
    pub(crate) fn names_temporary(&self) -> bool {
        self.parts.last().is_some_and(|part| part.contains(".tmp"))
    }
}

/// The parts between the slashes; those inside brackets and braces divide nothing.
fn split_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut escaped) = (0, 0_u32, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => {}
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = char == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

fn not_a_pattern(text: &str, error: &globset::Error) -> SageError {
    let message = format!(
        "'{text}' does not exist and is no pattern either: {}; correct it, or put \\ before a character that is meant literally",
        error.kind()
    );
    SageError::new(ErrorCode::PlanArgument, message).with("pattern", text)
}

/// Whether a file or directory with this name is left out where it is not named.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

/// Number of names in a path.
pub(crate) fn levels_of(path: &Path) -> usize {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_begins_at_the_last_directory_without_special_characters() {
        for (pattern, base, depth) in [
            ("*.jsonl", ".", Some(1)),
            ("logs/*.jsonl", "logs", Some(1)),
            ("/data/in/2024-*/part-?.gz", "/data/in", Some(2)),
            ("/*", "/", Some(1)),
            ("../a/**/x.txt", "../a", None),
            ("a/{b,c}/d.txt", "a", Some(2)),
            ("a/{b/c,d}.txt", "a", None),
            ("a//*.txt", "a/", Some(1)),
        ] {
            let parsed = GlobPattern::parse(pattern).unwrap();
            assert_eq!(
                (parsed.base.to_str(), parsed.depth()),
                (Some(base), depth),
                "{pattern}"
            );
        }
    }

    #[test]
    fn an_alternative_may_be_empty() {
        let pattern = GlobPattern::parse("in/*.csv{,.gz}").unwrap();
        assert!(pattern.matches(Path::new("a.csv")) && pattern.matches(Path::new("a.csv.gz")));
        assert!(!pattern.matches(Path::new("a.csv.zst")));
    }

    #[test]
    fn a_directory_that_cannot_have_matches_is_not_entered() {
        let pattern = GlobPattern::parse("in/2024-*/**/x").unwrap();
        assert!(pattern.enters(Path::new("2024-01")));
        assert!(pattern.enters(Path::new("2024-01/any/thing")));
        assert!(!pattern.enters(Path::new("2023-12")));
        assert!(pattern.matches(Path::new("2024-01/x")) && pattern.matches(Path::new("2024-01/a/b/x")));
        assert!(!pattern.matches(Path::new("2024-01/a/y")));
    }

    #[test]
    fn what_is_no_pattern_is_an_error_that_says_why() {
        for pattern in ["a/[b.txt", "a/{b.txt", "a/[z-a]"] {
            let error = GlobPattern::parse(pattern).unwrap_err();
            assert_eq!(error.code, ErrorCode::PlanArgument);
            assert!(error.message.contains(pattern), "{}", error.message);
        }
    }
}
