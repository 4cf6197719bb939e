//! What earlier instances had not read yet, divided anew.

use std::collections::VecDeque;

use crate::SourceSplit;
use crate::files::FilePart;
use crate::files::share_files::{Load, Share, share};

/// The parts of an instance: `left` has those of each earlier instance. As many instances as before go on each with its own;
/// others divide all that is left as [`crate::files::FileSet::parts`] divides files. Each record belongs to exactly one.
pub(crate) fn share_left(mut left: Vec<Vec<FilePart>>, split: SourceSplit) -> VecDeque<FilePart> {
    if left.len() == split.instances as usize {
        return std::mem::take(&mut left[split.instance as usize]).into();
    }
    let parts: Vec<FilePart> = left.into_iter().flatten().collect();
    let loads = parts.iter().map(|part| Load {
        bytes: part.bytes_left(),
        is_divisible: part.is_divisible(),
    });
    let shares = share(&loads.collect::<Vec<_>>(), split);
    let own = parts
        .into_iter()
        .zip(shares)
        .filter_map(|(part, share)| match share {
            Share::Nothing => None,
            Share::Whole => Some(part),
            Share::Bytes(range) => part.piece(range.start, range.end),
        });
    own.collect()
}
