//! Epochs of a job on disk.
//!
//! A [`CheckpointStore`] is a directory with a file for each epoch, locked for one job. Tasks hand over a [`TaskImage`]; an
//! [`EpochWriter`] writes its parts, each under its [`PartKey`], and makes them durable in one step. A [`RestoredEpoch`] gives them
//! back, to as many instances as there are then. A crash at any moment loses no epoch whose commit returned.

#![forbid(unsafe_code)]

mod byte_reader;
mod chain_limits;
mod checkpoint_directory;
mod checkpoint_error;
mod checkpoint_store;
mod disk_files;
mod entries;
mod epoch_catalog;
mod epoch_chain;
mod epoch_file;
mod epoch_file_writer;
mod epoch_format;
mod epoch_listing;
mod epoch_names;
mod epoch_writer;
mod fault_point;
mod files;
mod part_key;
mod read_epoch;
mod restored_epoch;
mod savepoint_place;
mod task_image;
pub mod testing;

pub use chain_limits::ChainLimits;
pub use checkpoint_store::CheckpointStore;
pub use disk_files::DiskFiles;
pub use entries::{Entry, EntryReader, EntryWriter};
pub use epoch_listing::{EpochListing, ListedFile, ListedPart, inspect};
pub use epoch_writer::{EpochSummary, EpochWriter};
pub use fault_point::{FAULT_POINT_VARIABLE, FaultHook, FaultPoint, FaultTarget};
pub use files::{Files, HeldLock, LockFailure, PathKind, ReadFile, WrittenFile};
pub use part_key::{PartKey, PartKind};
pub use read_epoch::read_epoch;
pub use restored_epoch::{PartPayload, RestoredEpoch};
pub use savepoint_place::make_savepoint_place;
pub use task_image::{ImagePart, TaskImage};
