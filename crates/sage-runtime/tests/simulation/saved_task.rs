//! What a task saves, and how it goes on from it.

use sage_checkpoint::{ImagePart, PartKind, TaskImage};
use sage_frame::canonical_number;
use sage_state::{KeyedPayload, saved_entries};

use super::disk_of_sinks::SinkFile;
use super::scenario::Work;
use super::sim_task::{SimTask, said};
use crate::support::Record;

/// A record that is on its way through an asynchronous function, or waits for its pair: gate, source, number.
const RECORD_BYTES: usize = 24;

/// One part of what a task saves.
pub struct Part {
    pub name: &'static str,
    kind: PartKind,
    is_full: bool,
    payload: Vec<u8>,
}

impl Part {
    fn own(name: &'static str, payload: Vec<u8>) -> Self {
        Self {
            name,
            kind: PartKind::Own,
            is_full: true,
            payload,
        }
    }

    fn keyed(name: &'static str, payload: Vec<u8>) -> Self {
        Self {
            kind: PartKind::Keyed,
            ..Self::own(name, payload)
        }
    }
}

impl SimTask {
    pub fn restore_own(&mut self, name: &str, is_mine: bool, bytes: &[u8]) {
        let words = words_of(bytes);
        match name {
            "position" => {
                for saved in words.chunks(3) {
                    let mine = self
                        .splits
                        .iter_mut()
                        .find(|(split, ..)| u64::from(*split) == saved[0]);
                    if let Some((_, next, records)) = mine {
                        (*next, *records) = (saved[1], saved[2]);
                    }
                }
            }
            // The least of all: another number of instances in front of it may have brought it what came to others.
            "time" => {
                let told = f64::from_bits(words[0]);
                self.time.restored = Some(self.time.restored.map_or(told, |least| least.min(told)));
            }
            "files" | "prepared" if is_mine => self.files.extend(words.chunks(2).map(|pair| SinkFile {
                file: pair[0],
                records: pair[1],
            })),
            "calls" if is_mine => {
                let calls = words.chunks(3).map(|call| Record {
                    key: f64::from_bits(call[0]),
                    source: f64::from_bits(call[1]),
                    number: f64::from_bits(call[2]),
                });
                self.calls.extend(calls);
            }
            _ => {}
        }
    }

    pub fn restore_keyed(&mut self, name: &str, payload: &[u8]) -> Result<(), String> {
        if let Some(sums) = &mut self.sums {
            return said("restoring sums", sums.restore(payload));
        }
        if self.work == Work::Table {
            return self.table.restore(name, payload);
        }
        for (key, value) in said("reading entries", saved_entries(payload))? {
            let words = words_of(value);
            let key = f64::from_le_bytes(key[1..].try_into().unwrap());
            if self.work == Work::Window {
                let place = (key.to_bits(), words[0]);
                if self.time.windows.insert(place, (words[1], words[2])).is_some() {
                    return Err(format!("the window {place:?} was saved twice"));
                }
                continue;
            }
            let record = Record {
                key,
                source: f64::from_bits(words[1]),
                number: f64::from_bits(words[2]),
            };
            if self.work == Work::Join {
                let side = usize::try_from(words[0]).unwrap();
                self.sides.entry(record.key.to_bits()).or_default()[side].push(record);
            } else {
                self.calls.push_back(record);
            }
        }
        Ok(())
    }

    /// What it saves: all, or where it can only what has changed.
    pub fn parts(&mut self, is_full: bool) -> Vec<Part> {
        let bytes = |words: Vec<u64>| -> Vec<u8> { words.into_iter().flat_map(u64::to_le_bytes).collect() };
        let mut parts = match self.work {
            Work::Source => {
                let words = self.splits.iter();
                let words = words.flat_map(|&(split, next, records)| [u64::from(split), next, records]);
                vec![Part::own("position", bytes(words.collect()))]
            }
            Work::Sink => {
                let words = self.files.iter().flat_map(|file| [file.file, file.records]);
                let name = if self.is_native { "prepared" } else { "files" };
                vec![Part::own(name, bytes(words.collect()))]
            }
            Work::Delay if self.is_keyed => {
                vec![Part::keyed(
                    "calls",
                    self.entries(self.calls.iter().map(|call| (0, call))),
                )]
            }
            Work::Delay => {
                let words = self.calls.iter();
                let words = words.flat_map(|call| [call.key, call.source, call.number].map(f64::to_bits));
                vec![Part::own("calls", bytes(words.collect()))]
            }
            Work::Join => {
                let sides = self.sides.values().flatten().enumerate();
                let records =
                    sides.flat_map(|(place, side)| side.iter().map(move |record| (place % 2, record)));
                vec![Part::keyed("sides", self.entries(records))]
            }
            Work::Sum | Work::Head => {
                let sums = self.sums.iter_mut();
                let save = |sums: &mut sage_state::KeyedAggregate| sums.save(self.key_groups).unwrap();
                sums.map(|sums| Part::keyed("sums", save(sums))).collect()
            }
            Work::Table => {
                let parts = self.table.parts(is_full, self.key_groups);
                let part = |(name, payload)| Part {
                    is_full,
                    ..Part::keyed(name, payload)
                };
                parts.map(part).into()
            }
            Work::Window => vec![Part::keyed("windows", self.saved_windows())],
            Work::Total | Work::Pass | Work::Tail => Vec::new(),
        };
        let has_time = self.time.is_timed || self.work == Work::Window;
        if has_time && self.work != Work::Source {
            parts.push(Part::own("time", bytes(vec![self.time.told.to_bits()])));
        }
        parts
    }

    fn saved_windows(&self) -> Vec<u8> {
        let mut payload = KeyedPayload::new(self.key_groups);
        for (&(key, window), &(count, sum)) in &self.time.windows {
            let value = [window, count, sum].map(u64::to_le_bytes).concat();
            payload
                .put(&canonical_number(f64::from_bits(key)), &value)
                .unwrap();
        }
        payload.into_bytes()
    }

    fn entries<'a>(&self, records: impl Iterator<Item = (usize, &'a Record)>) -> Vec<u8> {
        let mut payload = KeyedPayload::new(self.key_groups);
        for (side, record) in records {
            let mut value = Vec::with_capacity(RECORD_BYTES);
            value.extend((side as u64).to_le_bytes());
            value.extend(record.source.to_le_bytes());
            value.extend(record.number.to_le_bytes());
            payload.put(&canonical_number(record.key), &value).unwrap();
        }
        payload.into_bytes()
    }

    pub fn image(&mut self, is_full: bool) -> Vec<u8> {
        let mut image = TaskImage::new();
        for own in self.parts(is_full) {
            let part = ImagePart {
                operator: &self.operator,
                name: own.name,
                kind: own.kind,
                is_full: own.is_full,
                payload: &own.payload,
            };
            image.push(&part).unwrap();
        }
        image.as_bytes().to_vec()
    }
}

pub fn words_of(bytes: &[u8]) -> Vec<u64> {
    bytes
        .chunks(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

/// Instance and bytes of each part.
pub fn own_parts(mut rest: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let word = |rest: &mut &[u8]| {
        let (word, behind) = rest.split_first_chunk::<4>().unwrap();
        *rest = behind;
        u32::from_le_bytes(*word)
    };
    let count = word(&mut rest);
    (0..count)
        .map(|_| {
            let (instance, _, length) = (word(&mut rest), word(&mut rest), word(&mut rest));
            let (bytes, behind) = rest.split_at(length as usize);
            rest = behind;
            (instance, bytes.to_vec())
        })
        .collect()
}
