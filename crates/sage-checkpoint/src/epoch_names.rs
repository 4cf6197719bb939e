//! The names of the files in a checkpoint directory.

use std::path::{Path, PathBuf};

/// The file that is locked, and says by whom.
pub(crate) const LOCK_NAME: &str = "LOCK";

const PREFIX: &str = "epoch-";
const SUFFIX: &str = ".ckpt";
/// A file that is being written ends so; it is removed when a directory is opened.
const TEMPORARY: &str = ".tmp";
/// Before [`TEMPORARY`] in the name of a merged file.
const MERGED: &str = ".merged";
const SAVEPOINT_TEMPORARY: &str = ".savepoint.tmp";
/// Behind the name of an epoch: that name may not be durable.
const UNSYNCED: &str = ".unsynced";
const DIGITS: usize = 20;

/// The file of an epoch.
pub(crate) fn epoch_path(directory: &Path, epoch: u64) -> PathBuf {
    directory.join(format!("{PREFIX}{epoch:0DIGITS$}{SUFFIX}"))
}

/// Where it is written.
pub(crate) fn temporary_path(file: &Path) -> PathBuf {
    with_suffix(file, TEMPORARY)
}

/// Where its merged form is written.
pub(crate) fn merged_path(file: &Path) -> PathBuf {
    with_suffix(&with_suffix(file, MERGED), TEMPORARY)
}

/// What says that the name of an epoch may not be durable, or not for the file that has it.
pub(crate) fn unsynced_path(file: &Path) -> PathBuf {
    with_suffix(file, UNSYNCED)
}

/// The epoch that a file with this name says that of.
pub(crate) fn unsynced_epoch_of(name: &str) -> Option<u64> {
    epoch_of(name.strip_suffix(UNSYNCED)?)
}

/// Where a savepoint is written: next to other files of the user, whose names may end in [`TEMPORARY`] too.
pub(crate) fn savepoint_temporary_path(file: &Path) -> PathBuf {
    with_suffix(file, SAVEPOINT_TEMPORARY)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The epoch of a file with this name, if it is one.
pub(crate) fn epoch_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let is_number = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    // Epochs begin at 1: 0 means that there is none.
    digits.parse().ok().filter(|&epoch| is_number && epoch > 0)
}

/// Whether a file with this name was left over by somebody who was ended while writing an epoch.
pub(crate) fn is_temporary(name: &str) -> bool {
    let Some(name) = name.strip_suffix(TEMPORARY) else {
        return false;
    };
    epoch_of(name.strip_suffix(MERGED).unwrap_or(name)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_file_of_an_epoch_then_its_name_says_which() {
        let path = epoch_path(Path::new("dir"), 42);
        assert_eq!(path, Path::new("dir/epoch-00000000000000000042.ckpt"));
        assert_eq!(epoch_of("epoch-00000000000000000042.ckpt"), Some(42));
        assert_eq!(
            epoch_of(epoch_path(Path::new(""), u64::MAX).to_str().unwrap()),
            Some(u64::MAX)
        );
        let unsynced = unsynced_path(&path);
        let name = unsynced.file_name().unwrap().to_str().unwrap();
        assert_eq!(
            (unsynced_epoch_of(name), epoch_of(name), is_temporary(name)),
            (Some(42), None, false)
        );
        for path in [temporary_path(&path), merged_path(&path)] {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(is_temporary(name) && epoch_of(name).is_none(), "{name}");
        }
    }

    #[test]
    fn given_names_of_other_files_then_they_are_left_alone() {
        for name in [
            "LOCK",
            "epoch-42.ckpt",
            "epoch-00000000000000000000.ckpt",
            "epoch-+0000000000000000042.ckpt",
            "epoch-99999999999999999999.ckpt",
            "notes.tmp",
            "epoch-1.ckpt.tmp",
            "savepoint.ckpt",
        ] {
            assert!(epoch_of(name).is_none() && !is_temporary(name), "{name}");
            assert!(unsynced_epoch_of(name).is_none(), "{name}");
        }
    }
}
