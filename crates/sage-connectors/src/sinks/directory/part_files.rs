//! Names of the files in the directory of a sink, and those of earlier runs.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sage_types::{ErrorCode, Result, SageError};

use crate::SourceSplit;
use crate::io_error::{IoAction, io_error};

/// The files that one instance writes into a directory: `part-<instance>.<extension>`, or
/// `part-<instance>-<number>.<extension>` when it may be several.
#[derive(Debug, Clone)]
pub(crate) struct PartFiles {
    pub(crate) part: SourceSplit,
    /// With its dot, without that of a compression: `.jsonl`.
    extension: String,
    /// That of the compression: `.gz`, or nothing.
    suffix: &'static str,
    numbered: bool,
}

/// Digits of the numbers, so that the order of the names is theirs.
const DIGITS: usize = 5;

impl PartFiles {
    pub(crate) fn new(part: SourceSplit, extension: &str, suffix: &'static str, numbered: bool) -> Self {
        Self {
            part,
            extension: format!(".{extension}"),
            suffix,
            numbered,
        }
    }

    /// Whether an instance may have several files.
    pub(crate) const fn are_several(&self) -> bool {
        self.numbered
    }

    /// The name of a file of this instance.
    pub(crate) fn name(&self, number: u32) -> String {
        let instance = self.part.instance;
        let (extension, suffix) = (&self.extension, self.suffix);
        if self.numbered {
            format!("part-{instance:0DIGITS$}-{number:0DIGITS$}{extension}{suffix}")
        } else {
            format!("part-{instance:0DIGITS$}{extension}{suffix}")
        }
    }

    /// The files of any run and instance that are in the directory and would stand beside those of this run: all when
    /// files are numbered, else those that no instance of this run replaces.
    ///
    /// # Errors
    /// `SAGE_IO_*` when the directory cannot be read; one that does not exist is empty.
    pub(crate) fn earlier_in(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let mut earlier = Vec::new();
        for (name, path) in entries(directory)? {
            let is_replaced = |instance: u32| {
                !self.numbered && instance < self.part.instances && name == self.of_instance(instance).name(0)
            };
            if self
                .instance_of(&name)
                .is_some_and(|instance| !is_replaced(instance))
            {
                earlier.push(path);
            }
        }
        earlier.sort();
        Ok(earlier)
    }

    /// Refuses a directory in which files of an earlier run would be mixed with those of this one.
    ///
    /// # Errors
    /// `SAGE_IO_EXISTS`, and those of [`PartFiles::earlier_in`].
    pub(crate) fn refuse_earlier(&self, directory: &Path) -> Result<()> {
        let earlier = self.earlier_in(directory)?;
        let Some(first) = earlier.first() else {
            return Ok(());
        };
        let first = first.display().to_string();
        let message = format!(
            "{first} is there from an earlier run, and readers of the directory would take it for a part of this one; \
             give the option existing: 'replace' to remove such files, existing: 'add' to keep them, or another path"
        );
        Err(SageError::new(ErrorCode::IoExists, message).with("file", first))
    }

    /// Removes the files of earlier runs, here and in partitions below, that fall to this instance: each file falls to one
    /// of them, and all are called once.
    ///
    /// # Errors
    /// `SAGE_IO_*`
    pub(crate) fn remove_earlier(&self, directory: &Path, written: &HashSet<PathBuf>) -> Result<()> {
        for (name, path) in entries(directory)? {
            if is_partition(&name) && path.is_dir() {
                self.remove_earlier(&path, written)?;
                // Only when it is empty; another instance may be about to find that too.
                let _ = fs::remove_dir(&path);
                continue;
            }
            let is_ours = self
                .instance_of(&name)
                .is_some_and(|instance| instance % self.part.instances == self.part.instance);
            if is_ours && !written.contains(&path) {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(io_error(IoAction::Remove, &path, &error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn of_instance(&self, instance: u32) -> Self {
        let part = SourceSplit {
            instance,
            ..self.part
        };
        Self { part, ..self.clone() }
    }

    /// Which instance of some run wrote a file of this name; `None` when a sink of this format did not.
    fn instance_of(&self, name: &str) -> Option<u32> {
        let name = name.strip_prefix("part-")?;
        let uncompressed = [".gz", ".zst"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix));
        let numbers = uncompressed
            .unwrap_or(name)
            .strip_suffix(self.extension.as_str())?;
        let (instance, number) = numbers.split_once('-').unwrap_or((numbers, "00000"));
        let is_number = |text: &str| text.len() >= DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_number(instance) && is_number(number)).then(|| instance.parse().ok())?
    }
}

/// Whether a directory has the name of a partition.
fn is_partition(name: &str) -> bool {
    name.contains('=')
}

fn entries(directory: &Path) -> Result<Vec<(String, PathBuf)>> {
    let failed = |error: std::io::Error| io_error(IoAction::Read, directory, &error);
    let listed = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(failed)?,
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry.map_err(failed)?;
        // Names that are no text are not ours.
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, entry.path()));
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_such_a_sink_gives_are_its_own() {
        let files = PartFiles::new(SourceSplit::WHOLE, "jsonl", ".gz", true);
        assert_eq!(files.name(7), "part-00000-00007.jsonl.gz");
        for (name, instance) in [
            ("part-00003.jsonl", Some(3)),
            ("part-00003-00012.jsonl.zst", Some(3)),
            ("part-100000-00001.jsonl.gz", Some(100_000)),
            ("part-00003.txt", None),
            ("part-3.jsonl", None),
            ("part-00003-.jsonl", None),
            ("part-00003-x.jsonl", None),
            ("my-part-00003.jsonl", None),
            ("part-00003.jsonl.bak", None),
        ] {
            assert_eq!(files.instance_of(name), instance, "{name}");
        }
    }
}
