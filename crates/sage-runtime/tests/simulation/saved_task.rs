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

impl SimTask {
    pub fn restore_own(&mut self, name: &str, is_mine: bool, bytes: &[u8]) {
        let words = words_of(bytes);
        match name {
            "position" => {
                for pair in words.chunks(2) {
                    let mine = self
                        .splits
                        .iter_mut()
                        .find(|(split, ..)| u64::from(*split) == pair[0]);
                    if let Some((_, next, _)) = mine {
                        *next = pair[1];
                    }
                }
            }
            "files" if is_mine => self.files.extend(words.chunks(2).map(|pair| SinkFile {
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

    pub fn restore_keyed(&mut self, payload: &[u8]) -> Result<(), String> {
        if let Some(sums) = &mut self.sums {
            return said("restoring sums", sums.restore(payload));
        }
        for (key, value) in said("reading entries", saved_entries(payload))? {
            let words = words_of(value);
            let record = Record {
                key: f64::from_le_bytes(key[1..].try_into().unwrap()),
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

    /// Name, kind and bytes of what it saves.
    pub fn parts(&mut self) -> Vec<(&'static str, PartKind, Vec<u8>)> {
        let pairs = |words: Vec<[u64; 2]>| {
            words
                .concat()
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect()
        };
        match self.work {
            Work::Source => {
                let words = self
                    .splits
                    .iter()
                    .map(|&(split, next, _)| [u64::from(split), next]);
                vec![("position", PartKind::Own, pairs(words.collect()))]
            }
            Work::Sink => {
                let words = self.files.iter().map(|file| [file.file, file.records]);
                vec![("files", PartKind::Own, pairs(words.collect()))]
            }
            Work::Delay if self.is_keyed => {
                vec![(
                    "calls",
                    PartKind::Keyed,
                    self.entries(self.calls.iter().map(|call| (0, call))),
                )]
            }
            Work::Delay => {
                let words = self.calls.iter();
                let words = words.flat_map(|call| [call.key, call.source, call.number]);
                vec![("calls", PartKind::Own, words.flat_map(f64::to_le_bytes).collect())]
            }
            Work::Join => {
                let sides = self.sides.values().flatten().enumerate();
                let records =
                    sides.flat_map(|(place, side)| side.iter().map(move |record| (place % 2, record)));
                vec![("sides", PartKind::Keyed, self.entries(records))]
            }
            Work::Sum | Work::Head => self
                .sums
                .iter_mut()
                .map(|sums| ("sums", PartKind::Keyed, sums.save(self.key_groups).unwrap()))
                .collect(),
            Work::Pass | Work::Tail => Vec::new(),
        }
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

    pub fn image(&mut self) -> Vec<u8> {
        let mut image = TaskImage::new();
        for (name, kind, payload) in self.parts() {
            let part = ImagePart {
                operator: &self.operator,
                name,
                kind,
                is_full: true,
                payload: &payload,
            };
            image.push(&part).unwrap();
        }
        image.as_bytes().to_vec()
    }
}

fn words_of(bytes: &[u8]) -> Vec<u64> {
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
