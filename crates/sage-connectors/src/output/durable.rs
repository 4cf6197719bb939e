//! Making files durable, counted.

use std::collections::HashSet;
use std::fs::File;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static SYNCS: AtomicU64 = AtomicU64::new(0);

/// How often this process made a file or directory of a sink durable, which is what a checkpoint costs at the disk.
pub fn file_syncs() -> u64 {
    SYNCS.load(Ordering::Relaxed)
}

/// Makes the bytes of a file durable.
///
/// # Errors
/// Those of the operating system.
pub(crate) fn sync_file(file: &File) -> Result<()> {
    SYNCS.fetch_add(1, Ordering::Relaxed);
    file.sync_all()
}

/// Makes a name durable. The file is complete without it, so that an error (of file systems that cannot do this) is no failure.
pub(crate) fn sync_directory_of(path: &Path) {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if let Ok(directory) = File::open(directory) {
        let _ = sync_file(&directory);
    }
}

/// Makes names durable: each directory that they are in once.
pub(crate) fn sync_directories_of(paths: impl IntoIterator<Item = PathBuf>) {
    let mut done = HashSet::new();
    for path in paths {
        if done.insert(path.parent().map(Path::to_owned)) {
            sync_directory_of(&path);
        }
    }
}
