//! Windows in a checkpoint: `docs/internals/windows.md`, "Checkpoints".

use sage_state::{KeyedPayload, SavedBytes, damaged, saved_entries};
use sage_types::{ErrorCode, Result, SageError};

use crate::progress::Progress;
use crate::saved_key::{KeyAccumulators, KeyBytes};
use crate::{PaneAccumulators, WindowTable};

/// Of the bytes of [`WindowTable::save_progress`].
const VERSION: u8 = 1;

/// An entry of [`WindowTable::save`].
struct SavedWindows<'a> {
    key: &'a [u8],
    /// Of the key: the order in which keys got their first row.
    number: u64,
    windows: SavedBytes<'a>,
}

impl<A: PaneAccumulators> WindowTable<A> {
    /// How far time has come, and which windows these are. It is that of an instance, not of a key.
    #[must_use]
    pub fn save_progress(&self) -> Vec<u8> {
        let Progress {
            watermark,
            now_ms,
            told_ms,
            ..
        } = *self.progress();
        let mut bytes = vec![VERSION];
        for time in [watermark, now_ms, told_ms] {
            bytes.extend_from_slice(&time.to_bits().to_le_bytes());
        }
        bytes.extend_from_slice(self.signature().as_bytes());
        bytes
    }

    /// Takes what [`WindowTable::save_progress`] gave; of each instance that there was, and before [`WindowTable::restore`]. Time has come
    /// as far as in the instance in which it has come least far: they agree, as long as all of them are told the same watermarks.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`, also when it is that of other windows; `SAGE_CHECKPOINT_VERSION`; `SAGE_INTERNAL` when rows or keys have
    /// come.
    pub fn restore_progress(&mut self, saved: &[u8]) -> Result<()> {
        self.check_unused()?;
        let mut saved = SavedBytes::new(saved);
        let version = saved.u8()?;
        if version != VERSION {
            return Err(SageError::new(
                ErrorCode::CheckpointVersion,
                format!("windows were saved in format {version}, and this version reads {VERSION}"),
            ));
        }
        let [watermark, now_ms, told_ms] = [saved.f64()?, saved.f64()?, saved.f64()?];
        if watermark.is_nan() || now_ms.is_nan() || told_ms.is_nan() {
            return Err(damaged("a time is not a number"));
        }
        if !self.is_clock(now_ms) {
            return Err(damaged("a clock shows what no date can be"));
        }
        let signature = saved.take_rest();
        if signature != self.signature().as_bytes() {
            return Err(damaged("it is that of other windows")
                .with("saved", String::from_utf8_lossy(signature).into_owned())
                .with("expected", self.signature().to_owned()));
        }
        self.reach(watermark, now_ms, told_ms);
        Ok(())
    }

    /// What there is of each key: a word with the number of the key, and what the book has. Nothing is due, and all results were taken.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when something is due or was not taken; `SAGE_LIMIT_BATCH` when a key has 4 GiB.
    pub fn save(&mut self, key_groups: u32) -> Result<Vec<u8>> {
        self.check_at_rest()?;
        self.restart_changes();
        let mut payload = KeyedPayload::new(key_groups);
        self.save_keys(self.used_slots(), &mut payload)?;
        Ok(payload.into_bytes())
    }

    /// What has changed since the last call of this or of [`WindowTable::save`]: first the keys that have nothing left, then those that have
    /// something, each with all of its windows. None when everything is to be saved.
    ///
    /// # Errors
    /// As [`WindowTable::save`].
    pub fn save_changes(&mut self, key_groups: u32) -> Result<Option<Vec<u8>>> {
        self.check_at_rest()?;
        let Some(changes) = self.take_changes() else {
            return Ok(None);
        };
        let mut payload = KeyedPayload::new(key_groups);
        for key in &changes.gone {
            payload.remove(key)?;
        }
        self.save_keys(changes.slots.iter().copied(), &mut payload)?;
        *self.saved_changes_mut() = Some(changes);
        Ok(Some(payload.into_bytes()))
    }

    fn save_keys(&self, slots: impl Iterator<Item = u32>, payload: &mut KeyedPayload) -> Result<()> {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for slot in slots {
            key.clear();
            value.clear();
            self.append_key(slot, &mut key);
            let mut sink = KeyBytes {
                bytes: &mut value,
                accumulators: self.accumulators(),
            };
            self.book().save_key(slot, &mut sink);
            payload.put(&key, &value)?;
        }
        Ok(())
    }

    /// Takes what [`WindowTable::save`] gave, of one instance or several.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`; `SAGE_INTERNAL` when rows or keys have come. The windows are of no use then.
    pub fn restore(&mut self, payload: &[u8]) -> Result<()> {
        self.check_unused()?;
        self.stop_changes();
        let mut saved = saved_entries(payload)?
            .into_iter()
            .map(|(key, value)| {
                let mut windows = SavedBytes::new(value);
                let number = windows.u64()?;
                Ok(SavedWindows { key, number, windows })
            })
            .collect::<Result<Vec<_>>>()?;
        saved.sort_by_key(|saved| saved.number);
        self.catch_up();
        for mut saved in saved {
            self.restore_key(saved.key, &mut saved.windows)?;
            saved.windows.end()?;
        }
        Ok(())
    }

    /// The accumulators of each key, for JavaScript, which has what is in them: entries whose value is `u32` slot, `u32` how many, and for
    /// each `u32` accumulator, `f64` start, `f64` end. They are in the order in which they are saved, which is also theirs after a restore.
    ///
    /// # Errors
    /// As [`WindowTable::save`].
    pub fn list_accumulators(&self, key_groups: u32) -> Result<Vec<u8>> {
        self.check_at_rest()?;
        let mut payload = KeyedPayload::new(key_groups);
        self.list_keys(self.used_slots(), &mut payload)?;
        Ok(payload.into_bytes())
    }

    /// As [`WindowTable::list_accumulators`], of the keys that the last call of [`WindowTable::save_changes`] has saved; without a value of those
    /// that have nothing left, which come first. Once behind each; none behind a call that saved everything.
    ///
    /// # Errors
    /// As [`WindowTable::save`].
    pub fn list_changed_accumulators(&mut self, key_groups: u32) -> Result<Option<Vec<u8>>> {
        self.check_at_rest()?;
        let Some(changes) = self.saved_changes_mut().take() else {
            return Ok(None);
        };
        let mut payload = KeyedPayload::new(key_groups);
        for key in &changes.gone {
            payload.remove(key)?;
        }
        self.list_keys(changes.slots.iter().copied(), &mut payload)?;
        Ok(Some(payload.into_bytes()))
    }

    fn list_keys(&self, slots: impl Iterator<Item = u32>, payload: &mut KeyedPayload) -> Result<()> {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let mut sink = KeyAccumulators::default();
        for slot in slots {
            key.clear();
            value.clear();
            sink.accumulators.clear();
            self.append_key(slot, &mut key);
            self.book().save_key(slot, &mut sink);
            let count = u32::try_from(sink.accumulators.len()).unwrap_or(u32::MAX);
            value.extend_from_slice(&slot.to_le_bytes());
            value.extend_from_slice(&count.to_le_bytes());
            for (accumulator, start, end) in &sink.accumulators {
                value.extend_from_slice(&accumulator.to_le_bytes());
                value.extend_from_slice(&start.to_le_bytes());
                value.extend_from_slice(&end.to_le_bytes());
            }
            payload.put(&key, &value)?;
        }
        Ok(())
    }

    fn check_at_rest(&self) -> Result<()> {
        if !self.has_more() {
            return Ok(());
        }
        Err(SageError::new(
            ErrorCode::Internal,
            "windows were saved before all that was due had been taken",
        ))
    }
}
