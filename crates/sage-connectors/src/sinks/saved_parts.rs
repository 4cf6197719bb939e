//! What the instances of a sink had prepared, and which of it falls to whom.

use std::collections::HashSet;

use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};

use crate::output::{SavedReader, SavedWriter, malformed};
use crate::{Restored, SavedPosition, SourceSplit};

/// The files of one number: those that `part-<number>` begins with.
///
/// Each number is in exactly one instance, also when there are fewer instances than numbers: what an earlier instance wrote
/// waits as it is until all is complete, or until there is an instance of its number again, which goes on with it. So no
/// name is ever given twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SavedPart {
    pub(crate) number: u32,
    /// It only needs its name.
    pub(crate) sealed: bool,
    pub(crate) bytes: Vec<u8>,
}

/// What an instance goes on with.
pub(crate) struct Claim {
    pub(crate) own: Option<SavedPart>,
    pub(crate) others: Vec<SavedPart>,
    pub(crate) restored: Restored,
}

#[derive(Serialize, Deserialize)]
struct Head {
    number: u32,
    sealed: bool,
}

pub(crate) fn to_bytes<'a>(parts: impl IntoIterator<Item = &'a SavedPart>) -> Result<Vec<u8>> {
    let mut writer = SavedWriter::new();
    let parts: Vec<&SavedPart> = parts.into_iter().collect();
    let heads: Vec<Head> = parts
        .iter()
        .map(|part| Head {
            number: part.number,
            sealed: part.sealed,
        })
        .collect();
    writer.json(&heads)?;
    for part in parts {
        writer.bytes(&part.bytes);
    }
    Ok(writer.finish())
}

fn from_bytes(bytes: &[u8]) -> Result<Vec<SavedPart>> {
    let mut reader = SavedReader::new(bytes)?;
    let heads: Vec<Head> = reader.json()?;
    let parts = heads.into_iter().map(|head| {
        Ok(SavedPart {
            number: head.number,
            sealed: head.sealed,
            bytes: reader.bytes()?.to_vec(),
        })
    });
    parts.collect()
}

/// The parts of instance `split`: that of its own number, and those of numbers that no instance has.
///
/// # Errors
/// `SAGE_CHECKPOINT_SINK` when they are malformed, and when the instance cannot go on because its part is complete.
pub(crate) fn claim(saved: &[SavedPosition], split: SourceSplit) -> Result<Claim> {
    let mut instances = HashSet::new();
    let is_whole = saved.iter().all(|one| {
        one.parallelism as usize == saved.len()
            && one.instance < one.parallelism
            && instances.insert(one.instance)
    });
    if !is_whole || saved.is_empty() {
        return Err(malformed("it does not have the state of each instance once"));
    }
    let mut all = Vec::new();
    for saved in saved {
        all.extend(from_bytes(&saved.bytes)?);
    }
    let mut numbers = HashSet::new();
    if !all.iter().all(|part| numbers.insert(part.number)) {
        return Err(malformed("a part is there twice"));
    }
    let all_sealed = all.iter().all(|part| part.sealed);
    let same_parallelism = saved.len() == split.instances as usize;
    let is_ours = |part: &SavedPart| {
        part.number == split.instance
            || (part.number >= split.instances && part.number % split.instances == split.instance)
    };
    let mut others: Vec<SavedPart> = all.into_iter().filter(is_ours).collect();
    others.sort_by_key(|part| part.number);
    let own = others
        .iter()
        .position(|part| part.number == split.instance)
        .map(|index| others.remove(index));
    let own_sealed = own.as_ref().is_some_and(|own| own.sealed);
    let restored = if all_sealed || (own_sealed && same_parallelism) {
        Restored::Sealed
    } else if own_sealed {
        return Err(SageError::new(
            ErrorCode::CheckpointSink,
            "some instances of the sink were complete at the checkpoint and others were not; go on with the parallelism that the job had",
        ));
    } else {
        Restored::Open
    };
    Ok(Claim {
        own,
        others,
        restored,
    })
}
