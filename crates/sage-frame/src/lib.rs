//! Columnar frames: layouts, the FlatBuffers envelope, partitioning by key group.
//!
//! `docs/internals/data-path.md` is the specification of every format in this crate.

// Batches come from memory that other threads and languages wrote: nothing but checked access here.
#![deny(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!(
    "batches are little endian in memory; a big-endian build would need conversions that nobody has written"
);

mod aligned;
mod batch_builder;
mod batch_image;
mod batch_plan;
mod batch_view;
mod buffer_pool;
mod column;
mod column_builder;
mod date_text;
mod frame;
mod frame_draft;
mod frame_header;
mod gather;
mod key_column;
mod key_hash;
mod layout;
mod layout_registry;
mod layout_text;
mod mismatch;
mod node;
mod number_text;
pub mod partition;
mod str_column;
mod string_encoding;
mod text_builder;
mod token_writer;
mod validate;
mod widen;

#[allow(
    warnings,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "made by flatc from schema/frame.fbs"
)]
#[rustfmt::skip]
mod generated {
    mod frame_generated;
    pub use frame_generated::sage::frame::*;
}

pub use batch_builder::BatchBuilder;
pub use batch_image::ImageTooSmall;
pub use batch_plan::{BufferKind, EndsUnit, NodeIndex, PlannedKind, PlannedNode};
pub use batch_view::BatchView;
pub use column::{BytesColumn, Column, ColumnData, presence};
pub use date_text::{civil_date, push_iso_date};
pub use frame::{Frame, FrameKind, FrameMeta};
pub use frame_draft::FrameDraft;
pub use key_column::{KeyColumn, canonical_f64, canonical_number, key_tag};
pub use key_hash::{hash_canonical, hash_column, hash_keys};
pub use layout::Layout;
pub use layout_registry::{LayoutRegistry, MAX_LAYOUTS};
pub use mismatch::{Found, Mismatch};
pub use node::{LeafKind, Node};
pub use number_text::{push_integer, push_json_number, push_number};
pub use str_column::{StrColumn, Wtf8Column};
pub use string_encoding::StringEncoding;
pub use token_writer::TokenWriter;
pub use validate::MAX_ROWS;
pub use widen::{MAX_COLUMNS, Widening};
