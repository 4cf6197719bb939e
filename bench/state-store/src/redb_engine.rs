use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, TableDefinition};

use crate::{Engine, Outcome};

const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("state");

pub struct Redb(Database);

pub fn open(path: &Path) -> Outcome<Redb> {
    let mut builder = Database::builder();
    builder.set_cache_size(256 << 20);
    Ok(Redb(builder.create(path.join("state.redb"))?))
}

impl Engine for Redb {
    fn write(&mut self, batch: &[(Vec<u8>, Vec<u8>)]) -> Outcome<()> {
        let mut transaction = self.0.begin_write()?;
        transaction.set_durability(Durability::None)?;
        let mut table = transaction.open_table(TABLE)?;
        for (key, value) in batch {
            table.insert(key.as_slice(), value.as_slice())?;
        }
        drop(table);
        Ok(transaction.commit()?)
    }

    fn read(&mut self, keys: &[Vec<u8>]) -> Outcome<usize> {
        let transaction = self.0.begin_read()?;
        let table = transaction.open_table(TABLE)?;
        let mut found = 0;
        for key in keys {
            found += usize::from(table.get(key.as_slice())?.is_some());
        }
        Ok(found)
    }
}
