//! What several tests of windows share.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part; a test may say what it expects in the shortest way"
)]

pub mod batch;
pub mod interpreter;
pub mod oracle;
pub mod run;
pub mod saved;
pub mod scenario;
