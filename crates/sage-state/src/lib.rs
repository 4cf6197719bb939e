//! Keyed slots and built-in aggregates.
//!
//! A [`KeyTable`] gives each key a dense *slot*, a small number by which Rust and JavaScript keep what belongs to the key in
//! arrays. [`KeyedAggregate`] puts the built-in aggregators on top of it. Everything works on whole batches: the keys of a
//! batch are packed and hashed first, then looked up, then compared, then aggregated, each in a loop of its own, so that
//! the cache misses of many rows overlap.
//!
//! No structure here moves more than a bounded piece of itself when it grows, so that millions of keys cause no pauses.

mod accumulators;
mod aggregate_inputs;
mod aggregate_kernels;
mod aggregate_spec;
mod changed_slots;
mod disk_state;
mod expiry_queue;
mod exported_keys;
mod found_state;
mod key_arena;
mod key_table;
mod keyed_aggregate;
mod keyed_payload;
mod keyed_state_counts;
mod keyed_state_flush;
mod keyed_state_spec;
mod keyed_state_table;
mod mergeable_aggregates;
mod pack_keys;
mod packed_key;
mod raw_key;
mod resident_slots;
mod running_image;
mod saved_aggregate;
mod saved_bytes;
mod saved_keyed_state;
mod saved_keys;
mod slot_index;
mod slot_rows;
mod state_cells;
mod state_exchange;
mod state_spec;
mod timer_table;

pub use aggregate_spec::{AggregateKind, AggregateSpec};
pub use changed_slots::{ChangedSlots, SlotChanges};
pub use disk_state::DiskOptions;
pub use exported_keys::ExportedKeys;
pub use found_state::FoundState;
pub use key_table::{KeyTable, MAX_SLOTS};
pub use keyed_aggregate::{Drained, Emitted, KeyedAggregate, MAX_DRAINED_KEY_BYTES};
pub use keyed_payload::{KeyedPayload, saved_entries};
pub use keyed_state_counts::KeyedStateCounts;
pub use keyed_state_spec::{DiskSpec, KeyedStateSpec};
pub use keyed_state_table::KeyedStateTable;
pub use mergeable_aggregates::{MergeableAggregates, is_no_result};
pub use saved_bytes::{SavedBytes, damaged};
pub use state_exchange::StateExchange;
pub use state_spec::StateSpec;
pub use timer_table::{DueTimer, TimerTable};
