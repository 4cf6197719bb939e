//! Ids, times, the clock, the error table and key groups: what every other crate of SAGE Kernel names.

#![forbid(unsafe_code)]

mod clock;
mod error_code;
mod id;
mod key_groups;
mod planted_bug;
mod sage_error;
mod time_ms;

pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use error_code::ErrorCode;
pub use id::{EdgeId, IsolateId, JobId, LayoutId, OperatorId, StageId, TaskId};
pub use key_groups::{DEFAULT_KEY_GROUPS, HASH_VERSION, KeyGroups};
pub use planted_bug::PlantedBug;
pub use sage_error::{ErrorDomain, ErrorValue, Result, SageError};
pub use time_ms::TimeMs;
