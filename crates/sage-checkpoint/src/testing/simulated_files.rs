//! The simulated file system.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::simulated_disk::{FileId, SimulatedDisk};
use crate::disk_files::parent_of;
use crate::{FaultPoint, Files, HeldLock, LockFailure, PathKind, ReadFile, WrittenFile};

/// A file system in memory that keeps what a real one promises and no more: after a crash, what was not synced may be lost, torn or there,
/// and so may names whose directory was not synced. It fails when it is told to. Clones are handles of the same one.
#[derive(Debug, Clone, Default)]
pub struct SimulatedFiles {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    disk: SimulatedDisk,
    locks: BTreeSet<PathBuf>,
    /// Writes, syncs and changes of names so far.
    operations: u64,
    syncs: u64,
    written_bytes: u64,
    crash_at: Option<u64>,
    has_crashed: bool,
    failing_sync: Option<u64>,
    disk_bytes: Option<u64>,
    is_read_only: bool,
    reached: Vec<(FaultPoint, u64)>,
}

impl State {
    /// Counts an operation that changes something, unless it fails.
    fn operate(&mut self) -> io::Result<()> {
        self.check_running()?;
        self.operations += 1;
        if self.crash_at == Some(self.operations) {
            self.has_crashed = true;
        }
        self.check_running()?;
        if self.is_read_only {
            return Err(ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(())
    }

    fn check_running(&self) -> io::Result<()> {
        if self.has_crashed {
            return Err(io::Error::other("the simulated machine has crashed"));
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.operate()?;
        self.syncs += 1;
        if self.failing_sync == Some(self.syncs) {
            return Err(io::Error::other("the simulated disk could not be synced"));
        }
        Ok(())
    }

    fn write(&mut self, id: FileId, bytes: &[u8]) -> io::Result<()> {
        let was_running = !self.has_crashed;
        let operated = self.operate();
        if was_running && self.has_crashed {
            // In the middle of it.
            let half = &bytes[..bytes.len() / 2];
            self.disk.bytes_mut(id).extend_from_slice(half);
        }
        operated?;
        let room = self
            .disk_bytes
            .map_or(u64::MAX, |limit| limit - self.written_bytes);
        let fitting = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.written_bytes += fitting as u64;
        self.disk.bytes_mut(id).extend_from_slice(&bytes[..fitting]);
        if fitting < bytes.len() {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn check_directory(&self, path: &Path) -> io::Result<()> {
        self.check_running()?;
        if self.disk.has_directory(path) {
            Ok(())
        } else if self.disk.has_file(path) {
            Err(ErrorKind::NotADirectory.into())
        } else {
            Err(ErrorKind::NotFound.into())
        }
    }
}

impl SimulatedFiles {
    /// A file system with one directory, `/`.
    #[must_use]
    pub fn new() -> Self {
        let files = Self::default();
        files.state().disk.add_directory(Path::new("/"));
        files
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file system as trait object, as a store takes it.
    #[must_use]
    pub fn shared(&self) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }

    /// How many operations changed something so far: each write, sync, creation, renaming and removal.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// How many syncs of files and directories there were so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// How many bytes were written so far.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.state().written_bytes
    }

    /// The machine crashes in the operation of this number, counted from 1: it and all later ones fail, until [`Self::restarted`].
    pub fn crash_at(&self, operation: u64) {
        self.state().crash_at = Some(operation);
    }

    /// Whether the machine has crashed.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.state().has_crashed
    }

    /// The sync of this number fails, counted from 1. What it should have made durable never will be.
    pub fn fail_sync(&self, sync: u64) {
        self.state().failing_sync = Some(sync);
    }

    /// The disk is full when so many bytes were written, counted from the first.
    pub fn full_after(&self, bytes: u64) {
        let mut state = self.state();
        state.disk_bytes = Some(bytes.max(state.written_bytes));
    }

    /// The disk has room without end again.
    pub fn free_space(&self) {
        self.state().disk_bytes = None;
    }

    /// Whether everything that changes something is refused.
    pub fn set_read_only(&self, is_read_only: bool) {
        self.state().is_read_only = is_read_only;
    }

    /// The machine as it may be found after a crash now. Its locks are free. The seed decides what of all that was not durable is there.
    #[must_use]
    pub fn restarted(&self, seed: u64) -> Self {
        let mut state = self.state();
        state.has_crashed = true;
        let disk = state.disk.after_crash(seed);
        Self {
            state: Arc::new(Mutex::new(State {
                disk,
                ..State::default()
            })),
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`].
    pub fn bytes_of(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.state();
        let id = state.disk.id_of(path)?;
        Ok(state.disk.bytes(id).to_vec())
    }

    /// Changes the bytes of a file behind everybody's back, durably.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`].
    pub fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut state = self.state();
        let id = state.disk.id_of(path)?;
        change(state.disk.bytes_mut(id));
        state.disk.settle(id);
        Ok(())
    }

    /// Removes a directory with all that is in it behind everybody's back.
    pub fn lose_directory(&self, path: &Path) {
        self.state().disk.remove_directory(path);
    }

    /// The fault points that were reached so far, with their epochs.
    #[must_use]
    pub fn reached_points(&self) -> Vec<(FaultPoint, u64)> {
        self.state().reached.clone()
    }
}

#[derive(Debug)]
struct SimulatedFile {
    files: SimulatedFiles,
    id: FileId,
}

impl WrittenFile for SimulatedFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.files.state().write(self.id, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.files.state();
        let synced = state.sync();
        if synced.is_ok() {
            state.disk.sync(self.id);
        } else {
            state.disk.fail_sync(self.id);
        }
        synced
    }
}

impl ReadFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        let state = self.files.state();
        state.check_running()?;
        Ok(state.disk.bytes(self.id).len() as u64)
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = self.files.state();
        state.check_running()?;
        let bytes = state.disk.bytes(self.id);
        let found = usize::try_from(offset)
            .ok()
            .and_then(|start| bytes.get(start..)?.get(..buffer.len()))
            .ok_or(ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(found);
        Ok(())
    }
}

#[derive(Debug)]
struct SimulatedLock {
    files: SimulatedFiles,
    path: PathBuf,
}

impl HeldLock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.files.state().locks.remove(&self.path);
    }
}

impl Files for SimulatedFiles {
    fn kind_of(&self, path: &Path) -> io::Result<Option<PathKind>> {
        let state = self.state();
        state.check_running()?;
        if state.disk.has_directory(path) {
            return Ok(Some(PathKind::Directory));
        }
        Ok(state.disk.has_file(path).then_some(PathKind::File))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.check_directory(parent_of(path))?;
        state.operate()?;
        if state.disk.has_directory(path) || state.disk.has_file(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.disk.add_directory(path);
        Ok(())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        state.check_directory(directory)?;
        Ok(state.disk.names_in(directory))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WrittenFile>> {
        let mut state = self.state();
        state.check_directory(parent_of(path))?;
        state.operate()?;
        let id = state.disk.create(path);
        let files = self.clone();
        Ok(Box::new(SimulatedFile { files, id }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let state = self.state();
        state.check_running()?;
        let id = state.disk.id_of(path)?;
        let files = self.clone();
        Ok(Box::new(SimulatedFile { files, id }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.disk.remove(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.check_directory(directory)?;
        let synced = state.sync();
        if synced.is_ok() {
            state.disk.sync_names(directory);
        } else {
            state.disk.fail_sync_names(directory);
        }
        synced
    }

    fn lock(&self, path: &Path, owner: &str) -> Result<Box<dyn HeldLock>, LockFailure> {
        let mut state = self.state();
        state.check_directory(parent_of(path)).map_err(LockFailure::Io)?;
        if state.locks.contains(path) {
            let id = state.disk.id_of(path).map_err(LockFailure::Io)?;
            let holder = String::from_utf8_lossy(state.disk.bytes(id)).into_owned();
            return Err(LockFailure::Held(holder));
        }
        state.operate().map_err(LockFailure::Io)?;
        let id = state.disk.create(path);
        state.disk.bytes_mut(id).extend_from_slice(owner.as_bytes());
        state.locks.insert(path.to_owned());
        let files = self.clone();
        let path = path.to_owned();
        Ok(Box::new(SimulatedLock { files, path }))
    }

    fn reached(&self, point: FaultPoint, epoch: u64) {
        self.state().reached.push((point, epoch));
    }
}
