//! A file that is not yet what it will be.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes of the final name that the temporary one repeats. The rest has 23 bytes, so that no file system's limit is met
/// that the final name does not meet, except by names that are shorter anyway.
const NAME_BYTES: usize = 100;

/// A file beside `path`, named `.<name>.<random>.tmp`, that is removed unless it is given its name. The dot keeps it from
/// `*` in shells and from readers of directories.
#[derive(Debug)]
pub(crate) struct TemporaryFile {
    path: PathBuf,
    gone: bool,
    /// A checkpoint refers to it: it is removed only when that is asked for.
    kept: bool,
}

impl TemporaryFile {
    /// Creates an empty one.
    pub(crate) fn create(beside: &Path) -> Result<(Self, File)> {
        let path = beside.with_file_name(temporary_name(beside));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        let temporary = Self {
            path,
            gone: false,
            kept: false,
        };
        Ok((temporary, file))
    }

    /// One that an earlier process left.
    pub(crate) fn left(path: PathBuf) -> Self {
        Self {
            path,
            gone: false,
            kept: true,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it, or not, when it is dropped.
    pub(crate) fn set_kept(&mut self, kept: bool) {
        self.kept = kept;
    }

    /// Whether the bytes of a file behind `from` are the first ones of this.
    pub(crate) fn begins_with(&self, file: &mut File, from: u64) -> Result<bool> {
        file.seek(SeekFrom::Start(from))?;
        let mut own = File::open(&self.path)?;
        let (mut piece, mut same) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        loop {
            let bytes = file.read(&mut piece)?;
            if bytes == 0 {
                return Ok(true);
            }
            match own.read_exact(&mut same[..bytes]) {
                Ok(()) if piece[..bytes] == same[..bytes] => {}
                Ok(()) => return Ok(false),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes it.
    pub(crate) fn remove(&mut self) {
        if !std::mem::replace(&mut self.gone, true) {
            // Nobody is left to tell; the file is recognisable by its name.
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Gives it its name, in place of what has it.
    pub(crate) fn rename(&mut self, path: &Path) -> Result<()> {
        fs::rename(&self.path, path)?;
        self.gone = true;
        Ok(())
    }

    /// Copies its bytes to the end of a file.
    pub(crate) fn copy_to(&self, file: &mut File) -> Result<()> {
        let mut from = File::open(&self.path)?;
        from.rewind()?;
        let mut piece = vec![0; 256 * 1024];
        loop {
            let bytes = from.read(&mut piece)?;
            if bytes == 0 {
                return Ok(());
            }
            file.write_all(&piece[..bytes])?;
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.kept {
            self.remove();
        }
    }
}

fn temporary_name(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut end = name.len().min(NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    // Keyed with random numbers of the operating system.
    let random = RandomState::new().hash_one(std::process::id());
    format!(".{}.{random:016x}.tmp", &name[..end]).into()
}
