//! Keys as a test sees them, and batches made of them by the letter of `docs/internals/data-path.md`.
//!
//! Nothing here uses the crate under test: [`keys::Key::identity`] is the oracle of equality.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod batch;
pub mod keys;
