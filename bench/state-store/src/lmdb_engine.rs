use std::path::Path;

use heed::types::Bytes;
use heed::{Database, Env, EnvFlags, EnvOpenOptions};

use crate::{Engine, Outcome};

pub struct Lmdb {
    environment: Env,
    database: Database<Bytes, Bytes>,
}

pub fn open(path: &Path) -> Outcome<Lmdb> {
    let mut options = EnvOpenOptions::new();
    options.map_size(16 << 30);
    // SAFETY: a crash may corrupt the file, which is thrown away then; nobody else opens it.
    let environment = unsafe { options.flags(EnvFlags::NO_SYNC).open(path)? };
    let mut transaction = environment.write_txn()?;
    let database = environment.create_database(&mut transaction, None)?;
    transaction.commit()?;
    Ok(Lmdb { environment, database })
}

impl Engine for Lmdb {
    fn write(&mut self, batch: &[(Vec<u8>, Vec<u8>)]) -> Outcome<()> {
        let mut transaction = self.environment.write_txn()?;
        for (key, value) in batch {
            self.database.put(&mut transaction, key, value)?;
        }
        Ok(transaction.commit()?)
    }

    fn read(&mut self, keys: &[Vec<u8>]) -> Outcome<usize> {
        let transaction = self.environment.read_txn()?;
        let mut found = 0;
        for key in keys {
            found += usize::from(self.database.get(&transaction, key)?.is_some());
        }
        Ok(found)
    }
}
