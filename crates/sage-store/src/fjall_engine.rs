//! The engine, without its ways to wait for ever.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use sage_types::{ErrorCode, Result, SageError};

use crate::FjallOptions;
use crate::expiry_filter::{CompactionClock, ExpiryFilterFactory, split_expiry};
use crate::store_error::{closed, corrupt, fjall_error};

/// Version of what is written; another one is refused.
const FORMAT_VERSION: u8 = 1;
/// Behind all keys of operators, which begin with a number that is never so large.
const FORMAT_KEY: &[u8] = b"\xff\xff\xff\xffformat";
/// No expiry, and the version.
const FORMAT_VALUE: [u8; 9] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, FORMAT_VERSION];
/// The engine stops writers in loops that nobody can end when 4 memtables wait for being written, or at 20 tables that are
/// not merged yet. We wait before it comes to that, and may be stopped. Two threads write, the caller's and that of
/// [`FjallEngine::rewrite`], and each may add a memtable behind its look.
const MAX_SEALED_MEMTABLES: usize = 1;
const MAX_UNMERGED_TABLES: usize = 16;
/// How often a writer that waits looks whether it may go on: the engine tells nobody.
const WAIT_STEP: Duration = Duration::from_millis(1);

/// An open store of the engine. Clones are the same.
#[derive(Clone)]
pub(crate) struct FjallEngine {
    pub(crate) path: PathBuf,
    pub(crate) clock: Arc<CompactionClock>,
    pub(crate) keyspace: Keyspace,
    pub(crate) database: Database,
}

impl FjallEngine {
    pub(crate) fn open(path: &Path, options: FjallOptions) -> Result<Self> {
        let clock = Arc::new(CompactionClock::default());
        let filter_clock = Arc::clone(&clock);
        let (database, keyspace) = guarded("open", path, || {
            let database = Database::builder(path)
                .cache_size(options.cache_bytes)
                .worker_threads(options.worker_threads.max(1))
                // It bounds what is read again after a crash; the engine takes no less than 64 MiB.
                .max_journaling_size(options.memtable_bytes.saturating_mul(8).max(64 << 20))
                .manual_journal_persist(true)
                .with_compaction_filter_factories(Arc::new(move |_| {
                    Some(Arc::new(ExpiryFilterFactory {
                        clock: Arc::clone(&filter_clock),
                    }))
                }))
                .open()?;
            let keyspace = database.keyspace("state", || {
                KeyspaceCreateOptions::default()
                    .max_memtable_size(options.memtable_bytes)
                    .manual_journal_persist(true)
            })?;
            Ok((database, keyspace))
        })?;
        let engine = Self {
            path: path.to_owned(),
            clock,
            keyspace,
            database,
        };
        engine.check_format()?;
        Ok(engine)
    }

    fn check_format(&self) -> Result<()> {
        match self.guarded("read", || self.keyspace.get(FORMAT_KEY))? {
            // Nothing else is there either.
            None => self.write_format(),
            Some(format) if *format == FORMAT_VALUE => Ok(()),
            Some(format) => {
                let version = split_expiry(&format).and_then(|(_, version)| version.first().copied());
                let place = self.path.display();
                Err(SageError::new(
                    ErrorCode::StateVersion,
                    format!(
                        "the state in {place} has format version {}, and this is {FORMAT_VERSION}: use the version of SAGE Kernel that wrote it, or remove the directory",
                        version.unwrap_or_default()
                    ),
                )
                .with("directory", place.to_string()))
            }
        }
    }

    fn write_format(&self) -> Result<()> {
        self.guarded("write", || self.keyspace.insert(FORMAT_KEY, FORMAT_VALUE))
    }

    /// Damaged files are an error also where the engine panics.
    pub(crate) fn guarded<T>(&self, action: &str, work: impl FnOnce() -> fjall::Result<T>) -> Result<T> {
        guarded(action, &self.path, work)
    }

    /// Waits until the engine has written what is waiting, so that it never makes us wait itself.
    pub(crate) fn wait_for_room(&self) -> Result<()> {
        self.wait_while(|| {
            self.keyspace.sealed_memtable_count() > MAX_SEALED_MEMTABLES
                || self.keyspace.l0_table_count() > MAX_UNMERGED_TABLES
        })
    }

    fn wait_while(&self, busy: impl Fn() -> bool) -> Result<()> {
        while busy() {
            if self.clock.is_stopped() {
                return Err(closed(&self.path.display().to_string()));
            }
            // When a thread of the engine has failed, it stays busy for ever.
            self.guarded("write", || self.database.persist(PersistMode::Buffer))?;
            std::thread::sleep(WAIT_STEP);
        }
        Ok(())
    }

    /// Writes all files anew, without what has expired.
    pub(crate) fn rewrite(&self) -> Result<()> {
        self.seal()?;
        self.wait_while(|| self.keyspace.sealed_memtable_count() > 0)?;
        self.guarded("rewrite", || self.keyspace.major_compact())?;
        // The engine removes the old files when a memtable is sealed.
        self.seal()
    }

    /// Has the memtable written to a file. The engine leaves one alone in which nothing is.
    fn seal(&self) -> Result<()> {
        self.wait_for_room()?;
        self.write_format()?;
        self.guarded("write", || self.keyspace.rotate_memtable())
            .map(|_| ())
    }
}

fn guarded<T>(action: &str, path: &Path, work: impl FnOnce() -> fjall::Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| corrupt(path, "the store engine gave up"))?
        .map_err(|error| fjall_error(action, path, &error))
}
