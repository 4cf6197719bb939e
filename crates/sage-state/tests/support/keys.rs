use proptest::prelude::*;

/// A JavaScript value that can be a key. Strings are UTF-16 units, so that they can have unpaired surrogates.
#[derive(Debug, Clone)]
pub enum Key {
    Null,
    Undefined,
    Bool(bool),
    Number(f64),
    Str(Vec<u16>),
    BigInt(i64),
    Date(f64),
    Array(Vec<Key>),
    /// Fields sorted by name, names different and ASCII.
    Object(Vec<(String, Key)>),
}

impl Key {
    pub fn str(text: &str) -> Self {
        Self::Str(text.encode_utf16().collect())
    }

    /// A text that is the same for two keys exactly when they are the same key. Written without canonical bytes in mind.
    pub fn identity(&self) -> String {
        let number = |number: f64| match number {
            _ if number.is_nan() => "NaN".to_owned(),
            0.0 => "0".to_owned(),
            _ => format!("{number:e}"),
        };
        match self {
            Self::Null => "null".into(),
            Self::Undefined => "undefined".into(),
            Self::Bool(boolean) => boolean.to_string(),
            Self::Number(value) => number(*value),
            Self::Str(units) => match String::from_utf16(units) {
                Ok(text) => format!("str:{text:?}"),
                Err(_) => format!("str{units:?}"),
            },
            Self::BigInt(value) => format!("{value}n"),
            Self::Date(value) => format!("date({})", number(*value)),
            Self::Array(items) => format!(
                "[{}]",
                items.iter().map(Self::identity).collect::<Vec<_>>().join(",")
            ),
            Self::Object(fields) => {
                let field = |(name, value): &(String, Self)| format!("{name:?}:{}", value.identity());
                format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// Section 4 of the specification, literally.
    pub fn canonical(&self) -> Vec<u8> {
        let number = |number: f64| {
            let bits = if number.is_nan() {
                0x7ff8_0000_0000_0000
            } else if number == 0.0 {
                0
            } else {
                number.to_bits()
            };
            bits.to_le_bytes()
        };
        let with_length = |bytes: Vec<u8>| [&length(bytes.len())[..], &bytes].concat();
        match self {
            Self::Null => vec![0],
            Self::Undefined => vec![1],
            Self::Bool(boolean) => vec![2 + u8::from(*boolean)],
            Self::Number(value) => [&[4][..], &number(*value)].concat(),
            Self::Str(units) => [&[5][..], &wtf8(units)].concat(),
            Self::BigInt(value) => [&[6][..], value.to_string().as_bytes()].concat(),
            Self::Date(value) => [&[7][..], &number(*value)].concat(),
            Self::Array(items) => {
                let mut bytes = [&[8][..], &length(items.len())].concat();
                bytes.extend(items.iter().flat_map(|item| with_length(item.canonical())));
                bytes
            }
            Self::Object(fields) => {
                let mut bytes = [&[9][..], &length(fields.len())].concat();
                for (name, value) in fields {
                    bytes.extend(with_length(name.as_bytes().to_vec()));
                    bytes.extend(with_length(value.canonical()));
                }
                bytes
            }
        }
    }
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap().to_le_bytes()
}

/// UTF-8, and each unpaired surrogate in the three bytes that UTF-8 would have for it.
pub fn wtf8(units: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for decoded in char::decode_utf16(units.iter().copied()) {
        match decoded {
            Ok(character) => bytes.extend_from_slice(character.to_string().as_bytes()),
            Err(lone) => {
                let unit = u32::from(lone.unpaired_surrogate());
                bytes.extend(
                    [0xe0 | unit >> 12, 0x80 | unit >> 6 & 0x3f, 0x80 | unit & 0x3f]
                        .map(|byte| u8::try_from(byte).unwrap()),
                );
            }
        }
    }
    bytes
}

fn arb_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-3_i32..12).prop_map(f64::from),
        1 => prop::sample::select(vec![
            -0.0,
            f64::NAN,
            f64::from_bits(0xfff8_0000_dead_beef),
            f64::INFINITY,
            1.5,
            f64::MIN_POSITIVE,
            9_007_199_254_740_993.0,
        ]),
        1 => any::<f64>(),
    ]
}

fn arb_string() -> impl Strategy<Value = Key> {
    let of_length = |length: usize| Key::str(&"abcdefghijklmnopqrstuvwxyz"[..length]);
    prop_oneof![
        4 => (0..20_u8).prop_map(|number| Key::str(&format!("user-{number}"))),
        2 => (0..27_usize).prop_map(of_length),
        1 => (0..4_u8).prop_map(|number| Key::str(&format!("{number}{}", "long".repeat(30)))),
        1 => (0..4_u8).prop_map(|number| Key::str(&format!("{}{number}", "long".repeat(2_000)))),
        2 => prop::sample::select(vec![
            "", "0", "1", "null", "NaN", "\0", "\0\0", "é", "€ 12", "😀", "naïve café, quite long",
        ]).prop_map(Key::str),
        1 => prop::sample::select(vec![
            vec![0xd83d], vec![0xde00], vec![0xd83d, 0xde00], vec![0x61, 0xdc00, 0xd800], vec![0xd800; 12],
        ]).prop_map(Key::Str),
    ]
}

/// Keys of all kinds from a small world, so that they repeat, and with many that are nearly the same.
pub fn arb_key() -> impl Strategy<Value = Key> {
    let leaf = prop_oneof![
        1 => prop::sample::select(vec![Key::Null, Key::Undefined, Key::Bool(false), Key::Bool(true)]),
        3 => arb_number().prop_map(Key::Number),
        4 => arb_string(),
        1 => (-2_i64..4).prop_map(Key::BigInt),
        1 => arb_number().prop_map(Key::Date),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Key::Array),
            prop::collection::btree_map("[ab]{1,2}", inner, 0..3)
                .prop_map(|fields| Key::Object(fields.into_iter().collect())),
        ]
    })
}
