//! The file system, as far as epochs need it.

use std::fmt;
use std::io;
use std::path::Path;

use crate::FaultPoint;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// Why a lock could not be taken.
#[derive(Debug)]
pub enum LockFailure {
    /// Somebody else has it, who left this in the file; empty where it could not be read.
    Held(String),
    /// The file could not be made, locked or written.
    Io(io::Error),
}

/// A file that is being written from its beginning to its end.
pub trait WrittenFile: fmt::Debug + Send {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// Those of the operating system.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// Those of the operating system. What was written may be lost then, also when a later call succeeds.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is read at any place. It stays readable when it is removed or replaced.
pub trait ReadFile: fmt::Debug + Send + Sync {
    /// How long it is.
    ///
    /// # Errors
    /// Those of the operating system.
    fn length(&self) -> io::Result<u64>;

    /// Fills `buffer` with what begins at `offset`.
    ///
    /// # Errors
    /// Those of the operating system; [`io::ErrorKind::UnexpectedEof`] when the file ends before.
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// A lock that is given back when this is dropped.
pub trait HeldLock: fmt::Debug + Send + Sync {}

/// The file system: [`crate::DiskFiles`], or one that fails and crashes, [`crate::testing::SimulatedFiles`].
pub trait Files: fmt::Debug + Send + Sync {
    /// What is at a path, if anything.
    ///
    /// # Errors
    /// Those of the operating system, but for [`io::ErrorKind::NotFound`].
    fn kind_of(&self, path: &Path) -> io::Result<Option<PathKind>>;

    /// Makes a directory in one that is there, and makes its name durable.
    ///
    /// # Errors
    /// Those of the operating system.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, in no order. Names that are no Unicode are left out.
    ///
    /// # Errors
    /// Those of the operating system.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Makes an empty file; one that is there is replaced.
    ///
    /// # Errors
    /// Those of the operating system.
    fn create(&self, path: &Path) -> io::Result<Box<dyn WrittenFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// Those of the operating system.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;

    /// Gives a file another name in the same directory; a file that has it already is replaced in one step.
    ///
    /// # Errors
    /// Those of the operating system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// Those of the operating system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// Those of the operating system.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// Takes a lock that the operating system gives back when the process ends in whatever way, and writes `owner` into its file.
    ///
    /// # Errors
    /// [`LockFailure::Held`] when somebody has it, in this process or another.
    fn lock(&self, path: &Path, owner: &str) -> Result<Box<dyn HeldLock>, LockFailure>;

    /// Is told of each moment of the protocol.
    fn reached(&self, _point: FaultPoint, _epoch: u64) {}
}
