//! Splits a batch over the parallel instances of the next stage. The order of rows is kept in each part.

use sage_types::{ErrorCode, KeyGroups, Result, SageError};

use crate::gather::Gather;
use crate::{BatchView, Frame, FrameMeta, hash_keys};

/// Each row to the instance that owns its key: `len()` of the result is the parallelism, none where an instance gets
/// no rows.
///
/// # Errors
/// `SAGE_FORMAT_LAYOUT` when the batch has no key column, `SAGE_LIMIT_BATCH` above 2 GiB.
pub fn by_key(view: &BatchView<'_>, groups: &KeyGroups, meta: FrameMeta) -> Result<Vec<Option<Frame>>> {
    let instances = groups.parallelism() as usize;
    if instances == 1 {
        return whole(view, meta);
    }
    let mut hashes = Vec::new();
    hash_keys(view, &mut hashes)?;
    let targets: Vec<u32> = hashes.iter().map(|&hash| groups.instance_of(hash)).collect();
    split(view, &targets, instances, meta)
}

/// Row after row to the next of `instances` instances, going on at `cursor` where the batch before ended. `instances`
/// is taken as at least 1.
///
/// # Errors
/// `SAGE_LIMIT_BATCH` above 2 GiB.
pub fn round_robin(
    view: &BatchView<'_>,
    instances: u32,
    cursor: &mut u32,
    meta: FrameMeta,
) -> Result<Vec<Option<Frame>>> {
    let instances = instances.max(1);
    if instances == 1 {
        return whole(view, meta);
    }
    let mut next = *cursor % instances;
    let targets: Vec<u32> = (0..view.rows())
        .map(|_| {
            let target = next;
            next = if next + 1 == instances { 0 } else { next + 1 };
            target
        })
        .collect();
    let frames = split(view, &targets, instances as usize, meta)?;
    *cursor = next;
    Ok(frames)
}

/// Each row to the instance that `targets` names for it, by row and below `instances`.
///
/// # Errors
/// `SAGE_INTERNAL` when the targets are not one valid instance for each row, `SAGE_LIMIT_BATCH` above 2 GiB.
pub fn by_target(
    view: &BatchView<'_>,
    targets: &[u32],
    instances: u32,
    meta: FrameMeta,
) -> Result<Vec<Option<Frame>>> {
    if targets.len() != view.rows() || targets.iter().any(|&target| target >= instances) {
        let message = format!(
            "a batch of {} rows cannot be divided by these targets",
            view.rows()
        );
        return Err(SageError::new(ErrorCode::Internal, message));
    }
    split(view, targets, instances as usize, meta)
}

/// The rows before `row`, and those from it on; none when one part would have no rows.
///
/// # Errors
/// `SAGE_LIMIT_BATCH` above 2 GiB.
pub fn split_at(view: &BatchView<'_>, row: usize, meta: FrameMeta) -> Result<Option<(Frame, Frame)>> {
    if row == 0 || row >= view.rows() {
        return Ok(None);
    }
    let targets: Vec<u32> = (0..view.rows()).map(|n| u32::from(n >= row)).collect();
    let mut parts = split(view, &targets, 2, meta)?.into_iter().flatten();
    Ok(parts.next().zip(parts.next()))
}

fn whole(view: &BatchView<'_>, meta: FrameMeta) -> Result<Vec<Option<Frame>>> {
    let frame = if view.rows() == 0 {
        None
    } else {
        Some(Frame::from_view(view, meta)?)
    };
    Ok(vec![frame])
}

/// Each row to the part that `targets` says for it, below `parts`; none where a part gets no rows.
///
/// # Errors
/// `SAGE_INTERNAL` when there is not one target for each row, or one that there is no part for; `SAGE_LIMIT_BATCH` above 2 GiB.
pub fn to_targets(
    view: &BatchView<'_>,
    targets: &[u32],
    parts: usize,
    meta: FrameMeta,
) -> Result<Vec<Option<Frame>>> {
    if targets.len() != view.rows() || targets.iter().any(|&target| target as usize >= parts) {
        return Err(SageError::new(
            ErrorCode::Internal,
            "the rows of a batch were given parts that there are not",
        ));
    }
    split(view, targets, parts, meta)
}

/// A frame of these rows, in this order.
///
/// # Errors
/// `SAGE_INTERNAL` for a row that the batch does not have, `SAGE_LIMIT_BATCH` above 2 GiB.
pub fn take(view: &BatchView<'_>, rows: &[u32], meta: FrameMeta) -> Result<Frame> {
    if rows.iter().any(|&row| row as usize >= view.rows()) {
        return Err(SageError::new(
            ErrorCode::Internal,
            "a row was taken of a batch that does not have it",
        ));
    }
    Gather::new(view)?.frame(rows, meta)
}

/// Sorts the row numbers by target, stably, and copies each group.
fn split(
    view: &BatchView<'_>,
    targets: &[u32],
    instances: usize,
    meta: FrameMeta,
) -> Result<Vec<Option<Frame>>> {
    let mut starts = vec![0_usize; instances + 1];
    for &target in targets {
        starts[target as usize + 1] += 1;
    }
    for instance in 0..instances {
        starts[instance + 1] += starts[instance];
    }
    // All rows to one instance: nothing to sort.
    if let Some(&first) = targets.first()
        && starts[first as usize + 1] - starts[first as usize] == targets.len()
    {
        let mut frames = vec![None; instances];
        frames[first as usize] = Some(Frame::from_view(view, meta)?);
        return Ok(frames);
    }
    let mut next = starts.clone();
    let mut rows = vec![0_u32; targets.len()];
    for (row, &target) in (0_u32..).zip(targets) {
        let place = &mut next[target as usize];
        rows[*place] = row;
        *place += 1;
    }
    let gather = Gather::new(view)?;
    starts
        .windows(2)
        .map(|range| match &rows[range[0]..range[1]] {
            [] => Ok(None),
            rows => gather.frame(rows, meta).map(Some),
        })
        .collect()
}
