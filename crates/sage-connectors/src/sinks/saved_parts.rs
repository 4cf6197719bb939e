//! What the instances of a sink had prepared, and which of it falls to whom.

use std::collections::HashSet;

use sage_types::Result;
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
    /// Of one that is sealed: what it was right before, for when there are more records nevertheless.
    pub(crate) open: Option<Vec<u8>>,
}

/// What an instance goes on with.
pub(crate) struct Claim {
    pub(crate) own: Option<SavedPart>,
    pub(crate) others: Vec<SavedPart>,
    pub(crate) restored: Restored,
    /// Files of this sink may have their names already.
    pub(crate) beside_earlier: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Heads {
    parts: Vec<Head>,
    beside_earlier: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Head {
    number: u32,
    sealed: bool,
    has_open: bool,
}

pub(crate) fn to_bytes<'a>(
    parts: impl IntoIterator<Item = &'a SavedPart>,
    beside_earlier: bool,
) -> Result<Vec<u8>> {
    let mut writer = SavedWriter::new();
    let parts: Vec<&SavedPart> = parts.into_iter().collect();
    writer.json(&Heads {
        parts: parts
            .iter()
            .map(|part| Head {
                number: part.number,
                sealed: part.sealed,
                has_open: part.open.is_some(),
            })
            .collect(),
        beside_earlier,
    })?;
    for part in parts {
        writer.bytes(&part.bytes);
        if let Some(open) = &part.open {
            writer.bytes(open);
        }
    }
    Ok(writer.finish())
}

fn from_bytes(bytes: &[u8]) -> Result<(Vec<SavedPart>, bool)> {
    let mut reader = SavedReader::new(bytes)?;
    let heads: Heads = reader.json()?;
    let parts = heads.parts.into_iter().map(|head| {
        Ok(SavedPart {
            number: head.number,
            sealed: head.sealed,
            bytes: reader.bytes()?.to_vec(),
            open: head
                .has_open
                .then(|| reader.bytes().map(<[u8]>::to_vec))
                .transpose()?,
        })
    });
    Ok((parts.collect::<Result<_>>()?, heads.beside_earlier))
}

/// The parts of instance `split`: that of its own number, and those of numbers that no instance has.
///
/// # Errors
/// `SAGE_CHECKPOINT_SINK` when they are malformed.
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
    let (mut all, mut beside_earlier) = (Vec::new(), false);
    for saved in saved {
        let (parts, beside) = from_bytes(&saved.bytes)?;
        all.extend(parts);
        beside_earlier |= beside;
    }
    let mut numbers = HashSet::new();
    if !all.iter().all(|part| numbers.insert(part.number)) {
        return Err(malformed("a part is there twice"));
    }
    let all_sealed = all.iter().all(|part| part.sealed);
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
    Ok(Claim {
        own,
        others,
        restored: if all_sealed || own_sealed {
            Restored::Sealed
        } else {
            Restored::Open
        },
        beside_earlier: beside_earlier || all_sealed,
    })
}
