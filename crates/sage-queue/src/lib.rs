//! Bounded channels with row and byte credits, and the wake-up protocol between threads.
//!
//! - [`Channel`]: one physical edge between two parallel tasks, bounded by rows and bytes.
//! - [`RunQueue`] and [`ReadySlot`]: which tasks of an isolate are ready; each is queued at most once, no wake-up is lost.
//! - [`Parker`]: a thread that waits: a bounded spin, then sleeps in slices, woken or closed from any thread.
//!
//! All shared state goes through [`sync`], so that `tests/loom_*.rs` can explore the interleavings.

mod channel;
mod credited;
mod end_kind;
mod parker;
mod ready_slot;
mod run_queue;
pub mod sync;
mod waker;

pub use channel::{Channel, ChannelCounts, Limits, Peek, Pop, PushError};
pub use credited::Credited;
pub use end_kind::EndKind;
pub use parker::{EngineThread, MAX_SLICE, Parked, Parker, core_to_spare, spinning_pays};
pub use ready_slot::{ReadySlot, Rest};
pub use run_queue::{Next, RunQueue, WakeHook};
pub use waker::{NoWaker, Waker};
