use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use crate::{Engine, Outcome};

pub struct Fjall {
    database: Database,
    keyspace: Keyspace,
}

pub fn open(path: &Path) -> Outcome<Fjall> {
    let database = Database::builder(path)
        .cache_size(64 << 20)
        .worker_threads(1)
        .max_journaling_size(128 << 20)
        .manual_journal_persist(true)
        .open()?;
    let keyspace = database.keyspace("state", || KeyspaceCreateOptions::default().max_memtable_size(16 << 20))?;
    Ok(Fjall { database, keyspace })
}

impl Engine for Fjall {
    fn write(&mut self, batch: &[(Vec<u8>, Vec<u8>)]) -> Outcome<()> {
        let mut write = self.database.batch();
        for (key, value) in batch {
            write.insert(&self.keyspace, key.as_slice(), value.as_slice());
        }
        Ok(write.commit()?)
    }

    fn read(&mut self, keys: &[Vec<u8>]) -> Outcome<usize> {
        let mut found = 0;
        for key in keys {
            found += usize::from(self.keyspace.get(key)?.is_some());
        }
        Ok(found)
    }
}
