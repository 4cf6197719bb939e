//! What the tests of connectors share: a plain reader of JSON that is the oracle, and values of frames in the same form.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod batch;
pub mod csv_file;
pub mod json_file;
pub mod packed;
pub mod resumed;
pub mod table;
pub mod written;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sage_connectors::{BatchSource, NextBatch, SourceSplit, open_source};
use sage_frame::{
    BatchView, ColumnData, Frame, LayoutRegistry, NodeIndex, StrColumn, StringEncoding, presence,
};
use sage_types::{Result, SageError};

/// A JavaScript value. Strings are UTF-16, numbers are compared by their bits, objects without regard to order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Js {
    Undefined,
    Null,
    Bool(bool),
    Number(u64),
    Text(Vec<u16>),
    Date(u64),
    Array(Vec<Js>),
    Object(BTreeMap<Vec<u16>, Js>),
}

pub fn number(value: f64) -> Js {
    Js::Number(value.to_bits())
}

pub fn text(value: &str) -> Js {
    Js::Text(value.encode_utf16().collect())
}

pub fn object<const N: usize>(fields: [(&str, Js); N]) -> Js {
    Js::Object(
        fields
            .into_iter()
            .map(|(name, value)| (name.encode_utf16().collect(), value))
            .collect(),
    )
}

/// What `JSON.parse` gives; `None` where it throws. Slow and simple, on purpose.
pub fn json_parse(json: &str) -> Option<Js> {
    let units: Vec<char> = json.chars().collect();
    let mut parser = Parser { input: &units, at: 0 };
    let value = parser.value()?;
    parser.space();
    (parser.at == units.len()).then_some(value)
}

struct Parser<'a> {
    input: &'a [char],
    at: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        while matches!(self.input.get(self.at), Some(' ' | '\t' | '\r' | '\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, expected: char) -> Option<()> {
        (self.input.get(self.at) == Some(&expected)).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, value: Js) -> Option<Js> {
        for char in word.chars() {
            self.take(char)?;
        }
        Some(value)
    }

    fn value(&mut self) -> Option<Js> {
        self.space();
        match self.input.get(self.at)? {
            'n' => self.word("null", Js::Null),
            't' => self.word("true", Js::Bool(true)),
            'f' => self.word("false", Js::Bool(false)),
            '"' => self.string().map(Js::Text),
            '[' => {
                self.at += 1;
                let mut items = Vec::new();
                self.space();
                if self.take(']').is_some() {
                    return Some(Js::Array(items));
                }
                loop {
                    items.push(self.value()?);
                    self.space();
                    if self.take(']').is_some() {
                        return Some(Js::Array(items));
                    }
                    self.take(',')?;
                }
            }
            '{' => {
                self.at += 1;
                let mut fields = BTreeMap::new();
                self.space();
                if self.take('}').is_some() {
                    return Some(Js::Object(fields));
                }
                loop {
                    self.space();
                    let name = self.string()?;
                    self.space();
                    self.take(':')?;
                    let value = self.value()?;
                    fields.insert(name, value);
                    self.space();
                    if self.take('}').is_some() {
                        return Some(Js::Object(fields));
                    }
                    self.take(',')?;
                }
            }
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Option<Js> {
        let start = self.at;
        let digits = |parser: &mut Self| {
            let first = parser.at;
            while parser.input.get(parser.at).is_some_and(char::is_ascii_digit) {
                parser.at += 1;
            }
            (parser.at > first).then_some(parser.at - first)
        };
        let _ = self.take('-');
        if self.take('0').is_none() {
            digits(self)?;
        }
        if self.take('.').is_some() {
            digits(self)?;
        }
        if matches!(self.input.get(self.at), Some('e' | 'E')) {
            self.at += 1;
            if self.take('+').is_none() {
                let _ = self.take('-');
            }
            digits(self)?;
        }
        let text: String = self.input[start..self.at].iter().collect();
        Some(number(text.parse().ok()?))
    }

    fn string(&mut self) -> Option<Vec<u16>> {
        self.take('"')?;
        let mut units = Vec::new();
        loop {
            let char = *self.input.get(self.at)?;
            self.at += 1;
            match char {
                '"' => return Some(units),
                '\\' => {
                    let escape = *self.input.get(self.at)?;
                    self.at += 1;
                    units.push(match escape {
                        'b' => 8,
                        'f' => 12,
                        'n' => 10,
                        'r' => 13,
                        't' => 9,
                        '"' | '\\' | '/' => escape as u16,
                        'u' => {
                            let hex: String = self.input.get(self.at..self.at + 4)?.iter().collect();
                            self.at += 4;
                            if !hex.chars().all(|char| char.is_ascii_hexdigit()) {
                                return None;
                            }
                            u16::from_str_radix(&hex, 16).ok()?
                        }
                        _ => return None,
                    });
                }
                '\0'..='\x1f' => return None,
                char => units.extend_from_slice(char.encode_utf16(&mut [0; 2])),
            }
        }
    }
}

/// What `JSON.stringify` followed by `JSON.parse` makes of a value: no `undefined`, dates as texts are left to the caller.
pub fn rows_of(frame: &Frame, registry: &LayoutRegistry) -> Vec<Js> {
    let view = frame.view(registry).unwrap();
    rows_of_batch(&view)
}

pub fn rows_of_batch(view: &BatchView<'_>) -> Vec<Js> {
    (0..view.rows())
        .map(|row| value_at(view, view.layout().row_node(), row))
        .collect()
}

fn units_at(column: StrColumn<'_>, row: usize) -> Vec<u16> {
    let start = if row == 0 { 0 } else { column.ends[row - 1] } as usize;
    let end = column.ends[row] as usize;
    if column.encoding == StringEncoding::Ascii {
        return column.data[start..end]
            .iter()
            .map(|&byte| u16::from(byte))
            .collect();
    }
    column.units()[start..end].to_vec()
}

fn value_at(view: &BatchView<'_>, node: NodeIndex, row: usize) -> Js {
    let column = view.node(node).unwrap();
    match column.presence_of(row) {
        presence::VALUE => {}
        presence::NULL => return Js::Null,
        _ => return Js::Undefined,
    }
    let children = &view.layout().nodes()[node].children;
    match column.data {
        ColumnData::F64(values) => number(values[row]),
        ColumnData::I32(values) => number(f64::from(values[row])),
        ColumnData::Bool(values) => Js::Bool(values[row] == 1),
        ColumnData::Date(values) => Js::Date(values[row].to_bits()),
        ColumnData::Str(strings) => Js::Text(units_at(strings, row)),
        ColumnData::Json(texts) => {
            let json = String::from_utf16(&units_at(texts, row)).unwrap();
            json_parse(&json).unwrap_or_else(|| panic!("a json column holds {json}"))
        }
        ColumnData::Record => {
            let mut fields = BTreeMap::new();
            for &child in children {
                let name = view.layout().nodes()[child].name.as_deref().unwrap();
                let presence = view.node(child).unwrap().presence_of(row);
                if presence != presence::MISSING {
                    fields.insert(name.encode_utf16().collect(), value_at(view, child, row));
                }
            }
            Js::Object(fields)
        }
        ColumnData::Tuple => Js::Array(children.iter().map(|&child| value_at(view, child, row)).collect()),
        ColumnData::Nil => Js::Undefined,
        ColumnData::Bytes(_) | ColumnData::Any { .. } => panic!("readers do not make such columns"),
    }
}

/// All that a source delivered, and how it ended.
pub struct Read {
    pub rows: Vec<Js>,
    pub frame_rows: Vec<usize>,
    pub layouts: Vec<String>,
    pub statistics: sage_connectors::SourceStatistics,
    pub position: String,
    pub end: Result<()>,
}

pub fn read_split(spec: &str, instance: u32, instances: u32) -> Result<Read> {
    let registry = Arc::new(LayoutRegistry::new());
    let mut source = open_source(spec, SourceSplit { instance, instances }, Arc::clone(&registry))?;
    let (mut rows, mut frame_rows, mut layouts) = (Vec::new(), Vec::new(), Vec::new());
    let end = loop {
        match source.next() {
            Ok(NextBatch::Frame(frame)) => {
                // The invariants of a batch are those of its image: checked in full.
                let checked = Frame::from_bytes(frame.as_bytes()).unwrap();
                let batch = rows_of(&checked, &registry);
                assert_eq!(batch.len(), frame.rows());
                frame_rows.push(batch.len());
                layouts.push(registry.get(frame.layout_id()).unwrap().to_text());
                rows.extend(batch);
            }
            Ok(NextBatch::Waiting) => source.wait(Duration::from_secs(1)),
            Ok(NextBatch::Ended) => break Ok(()),
            Err(error) => {
                assert_eq!(source.next().unwrap_err(), error, "an error is final");
                break Err(error);
            }
        }
    };
    layouts.dedup();
    Ok(Read {
        rows,
        frame_rows,
        layouts,
        statistics: source.statistics(),
        position: source.place(),
        end,
    })
}

pub fn read(spec: &str) -> Read {
    read_split(spec, 0, 1).unwrap()
}

pub fn read_error(spec: &str) -> SageError {
    match read_split(spec, 0, 1) {
        Ok(read) => read.end.unwrap_err(),
        Err(error) => error,
    }
}

/// The rows of the next frame, and 0 at the end; waits for who writes.
pub fn next_rows(source: &mut dyn BatchSource) -> Result<usize> {
    loop {
        match source.next()? {
            NextBatch::Frame(frame) => return Ok(frame.rows()),
            NextBatch::Ended => return Ok(0),
            NextBatch::Waiting => source.wait(Duration::from_secs(1)),
        }
    }
}

/// A spec with this type, path and further options.
pub fn spec(kind: &str, path: &Path, options: &serde_json::Value) -> String {
    let mut spec = serde_json::json!({ "type": kind, "path": path });
    for (name, value) in options.as_object().unwrap() {
        spec[name] = value.clone();
    }
    spec.to_string()
}
