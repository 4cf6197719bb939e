//! The moments of the protocol at which a test may end the process.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;
use std::sync::Arc;

/// A moment between two steps of writing an epoch. [`crate::Files::reached`] is told of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultPoint {
    /// The temporary file is there, and nothing is in it.
    BeforeParts,
    /// A part is written, which is that of the first source at first, others are not.
    DuringParts,
    /// All parts are written, the index is not.
    BeforeIndex,
    /// All is written, nothing is durable.
    BeforeFlush,
    /// The temporary file is durable.
    AfterFlush,
    /// The file is about to get its name.
    BeforeRename,
    /// The file has its name, which is not durable.
    AfterRename,
    /// The name is about to become durable.
    BeforeDirectorySync,
    /// The epoch is durable.
    AfterDirectorySync,
    /// A merged file is durable and about to take the place of the one that it was made of.
    BeforeMergeRename,
    /// A merged file has taken its place, which is not durable.
    AfterMergeRename,
    /// Older epochs are about to be removed.
    BeforeRetention,
    /// Some of the older epochs are removed, others are not.
    DuringRetention,
    /// All that has to be removed is.
    AfterRetention,
}

impl FaultPoint {
    /// All of them. Those of a merge are only reached by one.
    pub const ALL: [Self; 14] = [
        Self::BeforeParts,
        Self::DuringParts,
        Self::BeforeIndex,
        Self::BeforeFlush,
        Self::AfterFlush,
        Self::BeforeRename,
        Self::AfterRename,
        Self::BeforeDirectorySync,
        Self::AfterDirectorySync,
        Self::BeforeMergeRename,
        Self::AfterMergeRename,
        Self::BeforeRetention,
        Self::DuringRetention,
        Self::AfterRetention,
    ];

    /// Its name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeParts => "before-parts",
            Self::DuringParts => "during-parts",
            Self::BeforeIndex => "before-index",
            Self::BeforeFlush => "before-flush",
            Self::AfterFlush => "after-flush",
            Self::BeforeRename => "before-rename",
            Self::AfterRename => "after-rename",
            Self::BeforeDirectorySync => "before-directory-sync",
            Self::AfterDirectorySync => "after-directory-sync",
            Self::BeforeMergeRename => "before-merge-rename",
            Self::AfterMergeRename => "after-merge-rename",
            Self::BeforeRetention => "before-retention",
            Self::DuringRetention => "during-retention",
            Self::AfterRetention => "after-retention",
        }
    }
}

impl fmt::Display for FaultPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a test wants to be told at each fault point, with the number of the epoch.
pub type FaultHook = Arc<dyn Fn(FaultPoint, u64) + Send + Sync>;

/// The environment variable by which a test ends a process at a [`FaultTarget`].
pub const FAULT_POINT_VARIABLE: &str = "SAGE_FAULT_POINT";

/// Which point in which epoch a test chose, such as `before-rename:3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaultTarget {
    /// The moment.
    pub point: FaultPoint,
    /// The epoch.
    pub epoch: u64,
}

impl FaultTarget {
    /// A hook that ends the process at this point, as `kill -9` would: nothing is closed, unlocked or removed. It says so first.
    #[must_use]
    pub fn aborting(self) -> FaultHook {
        Arc::new(move |point, epoch| {
            if (Self { point, epoch }) == self {
                // Nobody is left to tell, if this cannot be written.
                let _ = writeln!(
                    std::io::stderr(),
                    "{FAULT_POINT_VARIABLE}={self} ends the process here"
                );
                std::process::abort();
            }
        })
    }
}

impl fmt::Display for FaultTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.point, self.epoch)
    }
}

impl FromStr for FaultTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once(':').and_then(|(name, epoch)| {
            let point = FaultPoint::ALL.into_iter().find(|point| point.as_str() == name)?;
            Some(Self {
                point,
                epoch: epoch.parse().ok()?,
            })
        });
        parsed.ok_or_else(|| {
            let names = FaultPoint::ALL.map(FaultPoint::as_str).join(", ");
            format!("'{text}' is no fault point: write <name>:<epoch> with one of the names {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_name_of_a_point_and_an_epoch_then_it_is_a_target() {
        for point in FaultPoint::ALL {
            assert_eq!(
                format!("{point}:12").parse(),
                Ok(FaultTarget { point, epoch: 12 })
            );
        }
    }

    #[test]
    fn given_anything_else_then_the_error_names_the_points() {
        for text in ["", "before-rename", "before-rename:", "never:1", "after-flush:-1"] {
            let error = text.parse::<FaultTarget>().unwrap_err();
            assert!(error.contains("before-directory-sync"), "{error}");
        }
    }
}
