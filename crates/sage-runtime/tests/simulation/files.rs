//! The simulated disk, at each operation of which the pipeline goes on.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::rc::Rc;

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{FaultPoint, Files, HeldLock, LockFailure, PathKind, ReadFile, WrittenFile};

/// Who works, and so what it has locked where the pipeline goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// Writes an epoch: nobody asks for the names of the directory meanwhile.
    Writer,
    /// Merges: others do, and wait while it changes them.
    Merge,
}

type Meanwhile = (Worker, Rc<dyn Fn()>);

thread_local! {
    static MEANWHILE: RefCell<Option<Meanwhile>> = const { RefCell::new(None) };
}

/// Runs `work`, which waits for the disk now and then; each time `meanwhile` is called.
pub fn with_meanwhile<R>(worker: Worker, meanwhile: Rc<dyn Fn()>, work: impl FnOnce() -> R) -> R {
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            MEANWHILE.set(None);
        }
    }
    MEANWHILE.set(Some((worker, meanwhile)));
    let _ends = Ends;
    work()
}

fn meanwhile() {
    // Not while it is called: what waits for the disk in there says itself what goes on.
    if let Some((worker, call)) = MEANWHILE.take() {
        call();
        MEANWHILE.set(Some((worker, call)));
    }
}

#[derive(Debug)]
pub struct SlowFiles(pub SimulatedFiles);

#[derive(Debug)]
struct SlowFile(Box<dyn WrittenFile>);

impl WrittenFile for SlowFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        meanwhile();
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        meanwhile();
        self.0.sync()
    }
}

impl Files for SlowFiles {
    fn kind_of(&self, path: &Path) -> io::Result<Option<PathKind>> {
        self.0.kind_of(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.0.create_directory(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.0.list(directory)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WrittenFile>> {
        // What says that a name may not be durable is made while the names are locked.
        if path.extension().is_none_or(|extension| extension != "unsynced") {
            meanwhile();
        }
        Ok(Box::new(SlowFile(self.0.create(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        self.0.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.0.sync_directory(directory)
    }

    fn lock(&self, path: &Path, owner: &str) -> Result<Box<dyn HeldLock>, LockFailure> {
        self.0.lock(path, owner)
    }

    fn reached(&self, point: FaultPoint, epoch: u64) {
        if MEANWHILE.with_borrow(|own| own.as_ref().is_none_or(|(worker, _)| *worker != Worker::Merge)) {
            meanwhile();
        }
        self.0.reached(point, epoch);
    }
}
