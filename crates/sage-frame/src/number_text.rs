//! Numbers as JavaScript writes them.

/// Whole numbers up to here are written by their digits; doubles hold each of them.
const MAX_SAFE: f64 = 9_007_199_254_740_992.0;

/// Appends `JSON.stringify(value)`: the shortest text that reads as the same number, `null` for NaN and infinities, `0`
/// for -0.
#[inline]
pub fn push_json_number(value: f64, text: &mut Vec<u8>) {
    if value.is_finite() {
        push_finite(value, text);
    } else {
        text.extend_from_slice(b"null");
    }
}

/// Appends `String(value)`.
pub fn push_number(value: f64, text: &mut Vec<u8>) {
    if value.is_finite() {
        push_finite(value, text);
    } else if value.is_nan() {
        text.extend_from_slice(b"NaN");
    } else if value > 0.0 {
        text.extend_from_slice(b"Infinity");
    } else {
        text.extend_from_slice(b"-Infinity");
    }
}

/// Appends a whole number.
#[inline]
pub fn push_integer(value: i64, text: &mut Vec<u8>) {
    text.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[inline]
fn push_finite(value: f64, text: &mut Vec<u8>) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared below; saturates where it does not fit"
    )]
    let whole = value as i64;
    #[expect(clippy::float_cmp, reason = "equal or not is the question")]
    if whole as f64 == value && value.abs() <= MAX_SAFE {
        push_integer(whole, text);
    } else {
        push_shortest(value, text);
    }
}

fn push_shortest(value: f64, text: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value).as_bytes();
    // Without an exponent the forms agree, for there the range of the library lies within that of JavaScript.
    let Some(exponent_at) = memchr::memchr(b'e', shortest) else {
        text.extend_from_slice(shortest.strip_suffix(b".0").unwrap_or(shortest));
        return;
    };
    let (mantissa, exponent) = shortest.split_at(exponent_at);
    let exponent: i32 = std::str::from_utf8(&exponent[1..])
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0);
    let (negative, mantissa) = match mantissa.strip_prefix(b"-") {
        Some(mantissa) => (true, mantissa),
        None => (false, mantissa),
    };
    let point_at = memchr::memchr(b'.', mantissa).unwrap_or(mantissa.len());
    let mut digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    // The value is 0.digits * 10^point: `n` of Number::toString in the specification of JavaScript.
    let point = exponent + i32::try_from(point_at).unwrap_or(0);
    if negative {
        text.push(b'-');
    }
    push_digits(&digits, point, text);
}

fn push_digits(digits: &[u8], point: i32, text: &mut Vec<u8>) {
    let count = digits.len();
    match usize::try_from(point) {
        Ok(point) if count <= point && point <= 21 => {
            text.extend_from_slice(digits);
            text.extend(std::iter::repeat_n(b'0', point - count));
        }
        Ok(point) if 0 < point && point <= 21 => {
            text.extend_from_slice(&digits[..point]);
            text.push(b'.');
            text.extend_from_slice(&digits[point..]);
        }
        _ if -6 < point && point <= 0 => {
            text.extend_from_slice(b"0.");
            text.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
            text.extend_from_slice(digits);
        }
        _ => {
            text.push(digits[0]);
            if count > 1 {
                text.push(b'.');
                text.extend_from_slice(&digits[1..]);
            }
            let exponent = point - 1;
            text.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
            push_integer(i64::from(exponent.abs()), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64) -> String {
        let mut text = Vec::new();
        push_json_number(value, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        // Right column: what node prints for JSON.stringify(value).
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (123_456_789.0, "123456789"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (1e15, "1000000000000000"),
            (1e16, "10000000000000000"),
            (1e20, "100000000000000000000"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (1.5e21, "1.5e+21"),
            (-1e22, "-1e+22"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (0.001, "0.001"),
            (0.000_001, "0.000001"),
            (0.000_001_5, "0.0000015"),
            (1e-7, "1e-7"),
            (1.25e-7, "1.25e-7"),
            (-1e-7, "-1e-7"),
            (5e-324, "5e-324"),
            (2.225_073_858_507_201_4e-308, "2.2250738585072014e-308"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
            (f64::NEG_INFINITY, "null"),
        ] {
            assert_eq!(text(value), expected, "{value:e}");
        }
    }

    #[test]
    fn string_of_a_number_names_what_json_cannot() {
        for (value, expected) in [
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (2.5, "2.5"),
        ] {
            let mut text = Vec::new();
            push_number(value, &mut text);
            assert_eq!(text, expected.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same_number(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let written = text(value);
            let read: f64 = written.parse().unwrap();
            // 0 for -0 is what JavaScript writes.
            let same = read.to_bits() == value.to_bits() || (value == 0.0 && written == "0");
            prop_assert!(same, "{}", written);
            // The form: an exponent exactly where JavaScript has one.
            let has_exponent = written.contains('e');
            let magnitude = value.abs();
            prop_assert_eq!(has_exponent, magnitude >= 1e21 || (magnitude < 1e-6 && magnitude > 0.0), "{}", written);
        }
    }
}
