//! A second, naive implementation of the data path for the tests: values, and batches of them written and read from the
//! text of the specification alone, without the code that is tested.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::unwrap_used,
    reason = "part of tests, which may say what they expect in the shortest way"
)]

use proptest::prelude::*;
use sage_frame::{BatchView, ColumnData, LeafKind, Node, NodeIndex, StringEncoding};

/// One value of one node in one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Val {
    /// Bits of an f64 (numbers and dates), so that NaN and -0 compare.
    F64(u64),
    I32(i32),
    Bool(bool),
    /// `str` and `json`, in UTF-16 units.
    Text(Vec<u16>),
    Bytes(Vec<u8>),
    Any(Vec<u8>, Vec<u16>),
    /// 1 null, 2 undefined, 3 missing.
    Absent(u8),
    /// Fields or elements.
    Many(Vec<Val>),
}

/// Strings with all that is hard: ASCII, two- and three-byte characters, pairs, lone halves of pairs.
pub fn text() -> impl Strategy<Value = Vec<u16>> {
    let unit = prop_oneof![
        6 => (0x20_u16..0x7f).prop_map(|unit| vec![unit]),
        1 => Just(vec![0xe9]),
        1 => Just(vec![0x20ac]),
        2 => Just(vec![0xd83d, 0xde00]),
        1 => Just(vec![0xd83d]),
        1 => Just(vec![0xde00]),
    ];
    let hard = proptest::collection::vec(unit, 0..12).prop_map(|parts| parts.concat());
    let ascii = proptest::collection::vec(0x20_u16..0x7f, 0..40);
    let half = prop_oneof![Just(vec![0xd83d]), Just(vec![0xde00]), Just(vec![0x61, 0xd83d])];
    prop_oneof![4 => ascii, 2 => hard, 1 => half]
}

pub fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<f64>().prop_map(f64::to_bits),
        (-5..5_i32).prop_map(|small| f64::from(small).to_bits()),
        Just((-0.0_f64).to_bits()),
        any::<u64>().prop_map(|bits| bits | 0x7ff0_0000_0000_0001),
    ]
}

fn leaf_kind() -> impl Strategy<Value = LeafKind> {
    proptest::sample::select(LeafKind::ALL.to_vec())
}

pub fn leaf() -> impl Strategy<Value = Node> {
    (leaf_kind(), any::<bool>()).prop_map(|(kind, optional)| opt(Node::leaf(kind), optional))
}

pub fn opt(node: Node, optional: bool) -> Node {
    if optional { node.optional() } else { node }
}

/// Nodes of some depth; field names from a small set, so that two layouts share some.
pub fn node() -> impl Strategy<Value = Node> {
    leaf().prop_recursive(3, 24, 5, |inner| {
        let names = vec!["a", "b", "c", "d\"\n", "é😀"];
        let fields = proptest::sample::subsequence(names, 0..=5)
            .prop_shuffle()
            .prop_flat_map({
                let inner = inner.clone();
                move |names| {
                    let nodes = proptest::collection::vec(inner.clone(), names.len());
                    nodes.prop_map(move |nodes| Node::record(names.iter().copied().zip(nodes)))
                }
            });
        let tuple = proptest::collection::vec(inner, 0..4).prop_map(Node::tuple);
        (prop_oneof![2 => fields, 1 => tuple], any::<bool>()).prop_map(|(node, optional)| opt(node, optional))
    })
}

pub fn key_node() -> impl Strategy<Value = Node> {
    proptest::sample::select(vec![
        LeafKind::F64,
        LeafKind::Bool,
        LeafKind::Str,
        LeafKind::Bytes,
    ])
    .prop_map(Node::leaf)
}

/// Values that a node can hold.
pub fn value(node: &Node) -> BoxedStrategy<Val> {
    let present = match node {
        Node::Leaf { kind, .. } => match kind {
            LeafKind::F64 | LeafKind::Date => number().prop_map(Val::F64).boxed(),
            LeafKind::I32 => any::<i32>().prop_map(Val::I32).boxed(),
            LeafKind::Bool => any::<bool>().prop_map(Val::Bool).boxed(),
            LeafKind::Str | LeafKind::Json => text().prop_map(Val::Text).boxed(),
            LeafKind::Bytes => proptest::collection::vec(any::<u8>(), 1..20)
                .prop_map(Val::Bytes)
                .boxed(),
            LeafKind::Any => (proptest::collection::vec(any::<u8>(), 0..20), text())
                .prop_map(|(tokens, pool)| Val::Any(tokens, pool))
                .boxed(),
            LeafKind::Nil => return (1..=3_u8).prop_map(Val::Absent).boxed(),
        },
        Node::Record { fields, .. } => {
            let all: Vec<_> = fields.iter().map(|(_, field)| value(field)).collect();
            all.prop_map(Val::Many).boxed()
        }
        Node::Tuple { items, .. } => {
            let all: Vec<_> = items.iter().map(value).collect();
            all.prop_map(Val::Many).boxed()
        }
    };
    if node.is_optional() {
        prop_oneof![3 => present, 1 => (1..=3_u8).prop_map(Val::Absent)].boxed()
    } else {
        present
    }
}

/// A batch as values: one key (where the layout has one) and one row for each.
#[derive(Debug, Clone)]
pub struct Model {
    pub key: Option<Node>,
    pub row: Node,
    pub keys: Vec<Val>,
    pub rows: Vec<Val>,
    /// Added to the narrowest encoding of each text column, so that wider ones are tried too.
    pub widen_encodings: u8,
}

pub fn model(key: impl Strategy<Value = Option<Node>>, max_rows: usize) -> impl Strategy<Value = Model> {
    (key, node()).prop_flat_map(move |(key, row)| {
        let row_value = match &key {
            Some(key) => (value(key), value(&row)).boxed(),
            None => (Just(Val::Absent(3)), value(&row)).boxed(),
        };
        (proptest::collection::vec(row_value, 0..max_rows), 0..3_u8).prop_map(
            move |(rows, widen_encodings)| {
                let (keys, rows) = rows.into_iter().unzip();
                Model {
                    key: key.clone(),
                    row: row.clone(),
                    keys,
                    rows,
                    widen_encodings,
                }
            },
        )
    })
}

#[derive(Default)]
struct Writer {
    buffers: Vec<Vec<u8>>,
    encodings: Vec<u32>,
    widen: u8,
}

/// The narrowest encoding of a column, as JavaScript chooses it.
pub fn narrowest(all: &[u16]) -> u32 {
    if all.iter().all(|&unit| unit < 0x80) {
        0
    } else if String::from_utf16(all).is_ok() {
        1
    } else {
        2
    }
}

pub fn encode_text(all: &[u16], encoding: u32) -> Vec<u8> {
    match encoding {
        0 => all.iter().map(|&unit| u8::try_from(unit).unwrap()).collect(),
        1 => String::from_utf16(all).unwrap().into_bytes(),
        _ => all.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
    }
}

impl Writer {
    fn text(&mut self, rows: &[Vec<u16>]) {
        let all = rows.concat();
        let mut encoding = narrowest(&all);
        if encoding == 0 && self.widen > 0 {
            encoding = u32::from(self.widen);
        } else if encoding == 1 && self.widen > 1 {
            encoding = 2;
        }
        self.ends(rows.iter().map(Vec::len));
        self.buffers.push(encode_text(&all, encoding));
        self.encodings.push(encoding);
    }

    fn ends(&mut self, lengths: impl Iterator<Item = usize>) {
        let mut end = 0;
        let ends = lengths.flat_map(|length| {
            end += u32::try_from(length).unwrap();
            end.to_le_bytes()
        });
        self.buffers.push(ends.collect());
    }

    /// `None` is the filler of a row in which something above is absent.
    fn node(&mut self, node: &Node, rows: &[Option<&Val>]) {
        let present: Vec<Option<&Val>> = rows
            .iter()
            .map(|row| row.filter(|value| !matches!(value, Val::Absent(_))))
            .collect();
        if node.is_optional() {
            let presence = rows.iter().map(|row| match row {
                Some(Val::Absent(presence)) => *presence,
                _ => 0,
            });
            self.buffers.push(presence.collect());
        }
        match node {
            Node::Leaf { kind, .. } => self.leaf(*kind, &present),
            Node::Record { fields, .. } => {
                for (index, (_, field)) in fields.iter().enumerate() {
                    self.node(field, &nth(&present, index));
                }
            }
            Node::Tuple { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    self.node(item, &nth(&present, index));
                }
            }
        }
    }

    fn leaf(&mut self, kind: LeafKind, rows: &[Option<&Val>]) {
        let fixed = |width: usize, pick: &dyn Fn(&Val) -> Vec<u8>| {
            rows.iter()
                .flat_map(|row| row.map_or_else(|| vec![0; width], pick))
                .collect()
        };
        let wrong = |value: &Val| -> ! { panic!("{value:?} in a column of {kind:?}") };
        match kind {
            LeafKind::F64 | LeafKind::Date => self.buffers.push(fixed(8, &|value| match value {
                Val::F64(bits) => bits.to_le_bytes().to_vec(),
                other => wrong(other),
            })),
            LeafKind::I32 => self.buffers.push(fixed(4, &|value| match value {
                Val::I32(whole) => whole.to_le_bytes().to_vec(),
                other => wrong(other),
            })),
            LeafKind::Bool => self.buffers.push(fixed(1, &|value| match value {
                Val::Bool(boolean) => vec![u8::from(*boolean)],
                other => wrong(other),
            })),
            LeafKind::Str | LeafKind::Json | LeafKind::Bytes | LeafKind::Any => {
                let none = || (Vec::new(), Vec::new());
                let (bytes, texts): (Vec<Vec<u8>>, Vec<Vec<u16>>) = rows
                    .iter()
                    .map(|row| match row {
                        None => none(),
                        Some(Val::Text(text)) => (Vec::new(), text.clone()),
                        Some(Val::Bytes(bytes)) => (bytes.clone(), Vec::new()),
                        Some(Val::Any(tokens, pool)) => (tokens.clone(), pool.clone()),
                        Some(other) => wrong(other),
                    })
                    .unzip();
                if matches!(kind, LeafKind::Bytes | LeafKind::Any) {
                    self.ends(bytes.iter().map(Vec::len));
                    self.buffers.push(bytes.concat());
                }
                if kind.has_text() {
                    self.text(&texts);
                }
            }
            LeafKind::Nil => {}
        }
    }
}

/// The `index`th field or element of each row.
fn nth<'v>(rows: &[Option<&'v Val>], index: usize) -> Vec<Option<&'v Val>> {
    let pick = |value: &'v Val| match value {
        Val::Many(values) => &values[index],
        other => panic!("{other:?} in a record"),
    };
    rows.iter().map(|row| row.map(pick)).collect()
}

/// Bytes that start at a multiple of 8.
#[derive(Debug, Clone)]
pub struct Aligned {
    words: Vec<u64>,
    length: usize,
}

impl Aligned {
    pub fn new(bytes: &[u8]) -> Self {
        let words = bytes
            .chunks(8)
            .map(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(word)
            })
            .collect();
        Self {
            words,
            length: bytes.len(),
        }
    }

    pub fn zeroed(length: usize) -> Self {
        Self::new(&vec![0; length])
    }

    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.length]
    }
}

impl Model {
    /// The batch image, written from the specification.
    pub fn image(&self, layout_id: u32) -> Aligned {
        let mut writer = Writer {
            widen: self.widen_encodings,
            ..Writer::default()
        };
        if let Some(key) = &self.key {
            writer.node(key, &self.keys.iter().map(Some).collect::<Vec<_>>());
        }
        writer.node(&self.row, &self.rows.iter().map(Some).collect::<Vec<_>>());
        let Writer {
            buffers, encodings, ..
        } = writer;
        let count = |length: usize| u32::try_from(length).unwrap();
        let mut words = vec![
            count(self.rows.len()),
            layout_id,
            count(buffers.len()),
            count(encodings.len()),
        ];
        let mut offset = ((4 + 2 * buffers.len() + encodings.len()) * 4).next_multiple_of(8);
        let first = offset;
        for buffer in &buffers {
            words.extend([count(offset), count(buffer.len())]);
            offset = (offset + buffer.len()).next_multiple_of(8);
        }
        words.extend(encodings);
        let mut image: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        image.resize(first, 0);
        for buffer in &buffers {
            image.extend(buffer);
            image.resize(image.len().next_multiple_of(8), 0);
        }
        Aligned::new(&image)
    }
}

/// All units of a text column, decoded by the standard library.
fn units(data: &[u8], encoding: StringEncoding) -> Vec<u16> {
    match encoding {
        StringEncoding::Ascii => data.iter().map(|&byte| u16::from(byte)).collect(),
        StringEncoding::Utf8 => std::str::from_utf8(data).unwrap().encode_utf16().collect(),
        StringEncoding::Utf16 => data
            .chunks(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect(),
    }
}

fn cut<T: Clone>(all: &[T], ends: &[u32], row: usize) -> Vec<T> {
    let start = if row == 0 { 0 } else { ends[row - 1] as usize };
    all[start..ends[row] as usize].to_vec()
}

/// Reads the value of a node in a row back.
pub fn read(view: &BatchView<'_>, node: NodeIndex, row: usize) -> Val {
    let column = view.node(node).unwrap();
    match column.presence_of(row) {
        0 => {}
        absent => return Val::Absent(absent),
    }
    match column.data {
        ColumnData::F64(numbers) | ColumnData::Date(numbers) => Val::F64(numbers[row].to_bits()),
        ColumnData::I32(wholes) => Val::I32(wholes[row]),
        ColumnData::Bool(booleans) => Val::Bool(booleans[row] == 1),
        ColumnData::Str(column) | ColumnData::Json(column) => {
            Val::Text(cut(&units(column.data, column.encoding), column.ends, row))
        }
        ColumnData::Bytes(column) => Val::Bytes(cut(column.data, column.ends, row)),
        ColumnData::Any { tokens, pool } => Val::Any(
            cut(tokens.data, tokens.ends, row),
            cut(&units(pool.data, pool.encoding), pool.ends, row),
        ),
        ColumnData::Nil => Val::Absent(0),
        ColumnData::Record | ColumnData::Tuple => Val::Many(
            view.layout().nodes()[node]
                .children
                .iter()
                .map(|&child| read(view, child, row))
                .collect(),
        ),
    }
}

/// All keys and rows of a batch.
pub fn read_all(view: &BatchView<'_>) -> (Vec<Val>, Vec<Val>) {
    let keys = view
        .layout()
        .key_node()
        .map(|node| (0..view.rows()).map(|row| read(view, node, row)).collect());
    let rows = (0..view.rows())
        .map(|row| read(view, view.layout().row_node(), row))
        .collect();
    (keys.unwrap_or_default(), rows)
}

/// WTF-8 of UTF-16 units, from the definition.
pub fn wtf8(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < units.len() {
        let mut point = u32::from(units[at]);
        at += 1;
        if (0xd800..0xdc00).contains(&point)
            && units.get(at).is_some_and(|low| (0xdc00..0xe000).contains(low))
        {
            point = 0x10000 + ((point - 0xd800) << 10) + (u32::from(units[at]) - 0xdc00);
            at += 1;
        }
        let tail = |shift: u32| 0x80 | u8::try_from((point >> shift) & 0x3f).unwrap();
        let head = |mark: u32, shift: u32| u8::try_from(mark | (point >> shift)).unwrap();
        match point {
            0..0x80 => out.push(head(0, 0)),
            0x80..0x800 => out.extend([head(0xc0, 6), tail(0)]),
            0x800..0x10000 => out.extend([head(0xe0, 12), tail(6), tail(0)]),
            _ => out.extend([head(0xf0, 18), tail(12), tail(6), tail(0)]),
        }
    }
    out
}

/// Canonical key bytes of a key, from the specification.
pub fn canonical(key: &Val) -> Vec<u8> {
    match key {
        Val::F64(bits) => {
            let number = f64::from_bits(*bits);
            let bits = if number.is_nan() {
                0x7ff8_0000_0000_0000
            } else if number == 0.0 {
                0
            } else {
                *bits
            };
            [&[4], &bits.to_le_bytes()[..]].concat()
        }
        Val::Bool(boolean) => vec![2 + u8::from(*boolean)],
        Val::Text(units) => [vec![5], wtf8(units)].concat(),
        Val::Bytes(bytes) => bytes.clone(),
        other => panic!("{other:?} is not a key"),
    }
}
