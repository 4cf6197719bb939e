//! Where state lies that is larger than memory.
//!
//! A [`StateStore`] is a sorted map of bytes with atomic batches: [`FjallStore`] on disk, [`MemoryStore`] for tests.
//! [`WriteBehind`] writes on a thread of its own, and lets readers see what is on its way. A [`JobStore`] is all of that for
//! one job, in a [`StateDirectory`] that is removed with the job; a [`SpillQueue`] is a bounded queue on disk beside it.

mod expiring_bytes;
mod expiry_filter;
mod fjall_engine;
mod fjall_store;
mod job_store;
mod key_list;
mod memory_store;
mod spill_queue;
mod spill_segment;
mod state_catalog;
mod state_directory;
mod state_store;
mod store_error;
mod stored_value;
mod sync_ticket;
mod write_batch;
mod write_behind;

pub use fjall_store::{FjallOptions, FjallStore};
pub use job_store::{JobStore, JobStoreOptions};
pub use key_list::KeyList;
pub use memory_store::MemoryStore;
pub use spill_queue::SpillQueue;
pub use state_catalog::{MAX_STATES, RegisteredStates, StateCatalog};
pub use state_directory::StateDirectory;
pub use state_store::{MAX_KEY_BYTES, StateStore, Visit};
pub use stored_value::{NEVER_MS, StoredValue};
pub use sync_ticket::SyncTicket;
pub use write_batch::{WriteBatch, WriteOp};
pub use write_behind::WriteBehind;
