//! A single operation that the operating system refuses is told apart from a file that is damaged, and from one that somebody else has removed.

#![allow(
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod support;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{
    ChainLimits, CheckpointStore, FaultPoint, Files, HeldLock, LockFailure, PathKind, ReadFile, WrittenFile,
};
use sage_types::ErrorCode;
use support::{DIRECTORY, Job, path_of, put};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    CreateDirectory,
    Open,
    Remove,
}

/// Files of which one operation on one path fails, until it is told otherwise.
#[derive(Debug)]
struct RefusingFiles {
    disk: SimulatedFiles,
    files: Arc<dyn Files>,
    refused: Mutex<Option<(Operation, PathBuf, ErrorKind)>>,
}

impl RefusingFiles {
    fn new() -> Arc<Self> {
        Self::on(SimulatedFiles::new())
    }

    fn on(disk: SimulatedFiles) -> Arc<Self> {
        Arc::new(Self {
            files: disk.shared(),
            disk,
            refused: Mutex::new(None),
        })
    }

    fn refuse(&self, operation: Operation, path: impl Into<PathBuf>, kind: ErrorKind) {
        *self.refused.lock().unwrap() = Some((operation, path.into(), kind));
    }

    fn allow_all(&self) {
        *self.refused.lock().unwrap() = None;
    }

    fn check(&self, operation: Operation, path: &Path) -> io::Result<()> {
        match &*self.refused.lock().unwrap() {
            Some((refused, of, kind)) if *refused == operation && of == path => Err((*kind).into()),
            _ => Ok(()),
        }
    }
}

impl Files for RefusingFiles {
    fn kind_of(&self, path: &Path) -> io::Result<Option<PathKind>> {
        self.files.kind_of(path)
    }

    /// One that is refused is made nevertheless, as by somebody else.
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.files.create_directory(path)?;
        self.check(Operation::CreateDirectory, path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.files.list(directory)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WrittenFile>> {
        self.files.create(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        self.check(Operation::Open, path)?;
        self.files.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.check(Operation::Remove, path)?;
        self.files.remove(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.files.sync_directory(directory)
    }

    fn lock(&self, path: &Path, owner: &str) -> Result<Box<dyn HeldLock>, LockFailure> {
        self.files.lock(path, owner)
    }

    fn reached(&self, point: FaultPoint, epoch: u64) {
        self.files.reached(point, epoch);
    }
}

fn open(files: &Arc<RefusingFiles>) -> sage_types::Result<CheckpointStore> {
    CheckpointStore::open(Arc::clone(files) as Arc<dyn Files>, DIRECTORY, 1)
}

fn job() -> Job {
    let mut job = Job::default();
    job.apply(&[put(0, 1, "a", "1")]);
    job
}

#[test]
fn given_an_epoch_that_may_not_be_read_when_the_directory_is_opened_then_that_is_an_error_and_the_epoch_is_not_passed_over()
 {
    let files = RefusingFiles::new();
    job().commit_whole(&open(&files).unwrap(), 1).unwrap();
    files.refuse(Operation::Open, path_of(1), ErrorKind::PermissionDenied);
    let error = open(&files).unwrap_err();
    assert_eq!(error.code, ErrorCode::IoPermission);
    assert!(
        error.message.starts_with("cannot read the checkpoint ")
            || error.message.starts_with("cannot open the checkpoint "),
        "{error}"
    );
    files.allow_all();
    assert_eq!(open(&files).unwrap().newest().unwrap().unwrap().epoch, 1);
}

#[test]
fn given_an_epoch_that_may_not_be_read_for_a_while_then_it_is_of_as_much_use_as_before_behind_that() {
    let files = RefusingFiles::new();
    let store = open(&files).unwrap();
    job().commit_whole(&store, 1).unwrap();
    files.refuse(Operation::Open, path_of(1), ErrorKind::PermissionDenied);
    assert_eq!(store.newest().unwrap_err().code, ErrorCode::IoPermission);
    files.allow_all();
    assert_eq!(store.base_for_changes(), Some(1));
    assert_eq!(store.newest().unwrap().unwrap().epoch, 1);
}

#[test]
fn given_an_old_epoch_that_somebody_else_has_removed_then_nothing_is_wrong() {
    let files = RefusingFiles::new();
    let store = open(&files).unwrap();
    job().commit_whole(&store, 1).unwrap();
    files.files.remove(&path_of(1)).unwrap();
    let summary = job().commit_whole(&store, 2).unwrap();
    assert!(summary.warnings.is_empty());
    assert_eq!(store.epochs(), [2]);
}

#[test]
fn given_an_old_epoch_that_cannot_be_removed_then_that_is_a_warning_and_it_is_tried_again() {
    let files = RefusingFiles::new();
    let store = open(&files).unwrap();
    job().commit_whole(&store, 1).unwrap();
    files.refuse(Operation::Remove, path_of(1), ErrorKind::PermissionDenied);
    let summary = job().commit_whole(&store, 2).unwrap();
    let [warning] = summary.warnings.as_slice() else {
        panic!("{:?}", summary.warnings);
    };
    assert_eq!(warning.code, ErrorCode::IoPermission);
    let path = path_of(1).display().to_string();
    assert!(
        warning
            .message
            .starts_with(&format!("cannot write the checkpoint {path}: ")),
        "{warning}"
    );
    assert_eq!(store.epochs(), [2, 1]);
    files.allow_all();
    assert!(job().commit_whole(&store, 3).unwrap().warnings.is_empty());
    assert_eq!(store.epochs(), [3]);
}

#[test]
fn given_a_directory_that_somebody_else_makes_at_the_same_time_then_it_is_used() {
    let files = RefusingFiles::new();
    files.refuse(Operation::CreateDirectory, DIRECTORY, ErrorKind::AlreadyExists);
    assert!(open(&files).unwrap().epochs().is_empty());
    // Any other refusal is one.
    let files = RefusingFiles::new();
    files.refuse(Operation::CreateDirectory, DIRECTORY, ErrorKind::PermissionDenied);
    let error = open(&files).unwrap_err();
    assert_eq!(error.code, ErrorCode::IoPermission);
    assert!(
        error.message.starts_with("cannot open the checkpoint "),
        "{error}"
    );
}

#[test]
fn given_limits_then_an_epoch_has_no_more_files_and_is_to_be_merged_when_it_says() {
    let limits = ChainLimits {
        merge_files: 2,
        max_files: 3,
    };
    let store = open(&RefusingFiles::new()).unwrap().with_limits(limits);
    let mut job = job();
    job.commit_whole(&store, 1).unwrap();
    assert_eq!((store.needs_merge(), store.base_for_changes()), (None, Some(1)));
    for epoch in 2..=3 {
        let step = [put(0, 1, "a", &epoch.to_string())];
        job.apply(&step);
        job.commit_changes(&store, epoch, epoch - 1, &step).unwrap();
        assert_eq!(store.needs_merge(), Some(epoch));
    }
    assert_eq!(store.base_for_changes(), None);
}

#[test]
fn given_a_directory_of_a_savepoint_that_somebody_else_makes_at_the_same_time_then_it_is_used() {
    let files = RefusingFiles::new();
    let store = open(&files).unwrap();
    job().commit_whole(&store, 1).unwrap();
    files.refuse(Operation::CreateDirectory, "/a", ErrorKind::AlreadyExists);
    let path = Path::new("/a/savepoint");
    assert_eq!(store.write_savepoint(1, path).unwrap().epoch, 1);
    assert_eq!(Job::of(&store.read(path).unwrap()).unwrap(), job());
    // Any other refusal is one.
    files.refuse(Operation::CreateDirectory, "/b", ErrorKind::PermissionDenied);
    let error = store.write_savepoint(1, Path::new("/b/savepoint")).unwrap_err();
    assert_eq!(error.code, ErrorCode::IoPermission);
}

#[test]
fn given_an_epoch_whose_name_can_neither_be_made_durable_nor_removed_when_another_process_goes_on_then_a_crash_does_not_take_it()
 {
    let files = RefusingFiles::new();
    let store = open(&files).unwrap();
    job().commit_whole(&store, 1).unwrap();
    files.refuse(Operation::Remove, path_of(2), ErrorKind::PermissionDenied);
    files.disk.fail_sync(files.disk.syncs() + 2);
    assert_eq!(
        job().commit_whole(&store, 2).unwrap_err().code,
        ErrorCode::IoWrite
    );
    drop(store);

    // No crash: it finds epoch 2, and goes on from it.
    files.allow_all();
    assert_eq!(open(&files).unwrap().newest().unwrap().unwrap().epoch, 2);

    for seed in 0..50 {
        let after = RefusingFiles::on(files.disk.restarted(seed));
        assert_eq!(open(&after).unwrap().newest().unwrap().unwrap().epoch, 2);
    }
}
