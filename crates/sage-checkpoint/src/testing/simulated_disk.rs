//! What is on a simulated disk, and what of it is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::disk_files::parent_of;

/// What is written at once or not at all.
const SECTOR_BYTES: usize = 512;

pub(super) type FileId = usize;

/// A file, with or without a name.
#[derive(Debug, Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    durable_length: usize,
    /// What was not durable when a sync failed never will be.
    is_lost: bool,
}

/// A change of the names in a directory that is not durable yet.
#[derive(Debug, Clone)]
struct NameChange {
    removed: Option<PathBuf>,
    added: Option<(PathBuf, FileId)>,
    /// A sync has failed: the next one, though it succeeds, does not make it durable.
    is_lost: bool,
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, FileId>) {
        if let Some(path) = &self.removed {
            names.remove(path);
        }
        if let Some((path, id)) = &self.added {
            names.insert(path.clone(), *id);
        }
    }

    fn is_in(&self, directory: &Path) -> bool {
        let added = self.added.as_ref().map(|(path, _)| path);
        let is_in = |path: &PathBuf| parent_of(path) == directory;
        self.removed.as_ref().or(added).is_some_and(is_in)
    }
}

/// Numbers that depend on a seed alone.
#[derive(Debug)]
struct Draws(u64);

impl Draws {
    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let drawn = (mixed ^ (mixed >> 31)) % limit as u64;
        usize::try_from(drawn).unwrap_or(0)
    }
}

/// Files, names and directories.
#[derive(Debug, Clone, Default)]
pub(super) struct SimulatedDisk {
    contents: Vec<Content>,
    names: BTreeMap<PathBuf, FileId>,
    durable_names: BTreeMap<PathBuf, FileId>,
    changes: Vec<NameChange>,
    directories: BTreeSet<PathBuf>,
}

impl SimulatedDisk {
    pub(super) fn has_directory(&self, path: &Path) -> bool {
        self.directories.contains(path)
    }

    pub(super) fn add_directory(&mut self, path: &Path) {
        self.directories.insert(path.to_owned());
    }

    pub(super) fn remove_directory(&mut self, path: &Path) {
        self.directories.remove(path);
        for names in [&mut self.names, &mut self.durable_names] {
            names.retain(|file, _| !file.starts_with(path));
        }
        self.changes.retain(|change| !change.is_in(path));
    }

    pub(super) fn id_of(&self, path: &Path) -> io::Result<FileId> {
        self.names
            .get(path)
            .copied()
            .ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn has_file(&self, path: &Path) -> bool {
        self.names.contains_key(path)
    }

    pub(super) fn names_in(&self, directory: &Path) -> Vec<String> {
        let files = self.names.keys().filter(|path| parent_of(path) == directory);
        files
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect()
    }

    /// An empty file of this name, which is a new one also where there was one.
    pub(super) fn create(&mut self, path: &Path) -> FileId {
        self.contents.push(Content::default());
        let id = self.contents.len() - 1;
        self.change(NameChange {
            removed: None,
            added: Some((path.to_owned(), id)),
            is_lost: false,
        });
        id
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let id = self.id_of(from)?;
        self.change(NameChange {
            removed: Some(from.to_owned()),
            added: Some((to.to_owned(), id)),
            is_lost: false,
        });
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.id_of(path)?;
        self.change(NameChange {
            removed: Some(path.to_owned()),
            added: None,
            is_lost: false,
        });
        Ok(())
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    pub(super) fn bytes(&self, id: FileId) -> &[u8] {
        &self.contents[id].bytes
    }

    /// The bytes of a file, to be changed behind everybody's back.
    pub(super) fn bytes_mut(&mut self, id: FileId) -> &mut Vec<u8> {
        &mut self.contents[id].bytes
    }

    /// What is there is durable, whether it was synced or not.
    pub(super) fn settle(&mut self, id: FileId) {
        let content = &mut self.contents[id];
        content.durable_length = content.bytes.len();
    }

    pub(super) fn sync(&mut self, id: FileId) {
        if !self.contents[id].is_lost {
            self.settle(id);
        }
    }

    pub(super) fn fail_sync(&mut self, id: FileId) {
        self.contents[id].is_lost = true;
    }

    pub(super) fn sync_names(&mut self, directory: &Path) {
        let (synced, left) = std::mem::take(&mut self.changes)
            .into_iter()
            .partition::<Vec<NameChange>, _>(|change| change.is_in(directory));
        self.changes = left;
        for change in synced.iter().filter(|change| !change.is_lost) {
            change.apply(&mut self.durable_names);
        }
    }

    pub(super) fn fail_sync_names(&mut self, directory: &Path) {
        let pending = self.changes.iter_mut();
        for change in pending.filter(|change| change.is_in(directory)) {
            change.is_lost = true;
        }
    }

    /// The disk as it may be found after the machine crashed: of what is not durable anything may be there or not.
    pub(super) fn after_crash(&self, seed: u64) -> Self {
        let mut draws = Draws(seed);
        let mut names = self.durable_names.clone();
        // Sometimes all or nothing, which seldom comes by chance.
        let mood = draws.below(4);
        for change in &self.changes {
            let is_kept = match mood {
                0 => false,
                1 => true,
                _ => draws.below(2) == 0,
            };
            if is_kept {
                change.apply(&mut names);
            }
        }
        let mut contents = self.contents.clone();
        for content in &mut contents {
            content.tear(&mut draws);
        }
        Self {
            contents,
            durable_names: names.clone(),
            names,
            changes: Vec::new(),
            directories: self.directories.clone(),
        }
    }
}

impl Content {
    /// Behind what is durable the file ends anywhere, and any sector may never have been written.
    fn tear(&mut self, draws: &mut Draws) {
        let unsure = self.bytes.len() - self.durable_length;
        if unsure > 0 {
            let mood = draws.below(4);
            let kept = match mood {
                0 => 0,
                1 => unsure,
                _ => draws.below(unsure + 1),
            };
            self.bytes.truncate(self.durable_length + kept);
            let tail = self.bytes.split_at_mut(self.durable_length).1;
            for sector in tail.chunks_mut(SECTOR_BYTES) {
                if draws.below(4) == 0 {
                    sector.fill(0);
                }
            }
        }
        self.durable_length = self.bytes.len();
        self.is_lost = false;
    }
}
