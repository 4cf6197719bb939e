//! An operation on single values: what decides wherever a column is not all of the kind that a kernel takes.

use std::borrow::Cow;
use std::cmp::Ordering;

use sage_frame::{push_iso_date, push_number};
use sage_types::Result;

use crate::date::{DateUnit, date_part, parse_iso_date, time_clip, truncate};
use crate::expression::{Call, Node};
use crate::failure::{cast_failure, value_failure};
use crate::operation::{OperandKind, Operation};
use crate::text::{Text, trim};
use crate::value::{Kind, Value};

const ANYTHING_COMPARABLE: &str = "a number, string, boolean or date";

/// The result of an operation.
///
/// # Errors
/// `SAGE_EXPRESSION_VALUE` for a value of a wrong kind, and for a text that a cast cannot read.
pub(crate) fn apply<'v>(call: &Call, operands: Vec<Value<'v>>) -> Result<Value<'v>> {
    let has_null = check_operands(call, &operands)?;
    if has_null && call.operation.is_strict() {
        return Ok(Value::Null);
    }
    let mut operands = operands.into_iter();
    let first = operands.next().unwrap_or(Value::Null);
    match call.operation {
        Operation::Between => {
            let (low, high) = (operands.next(), operands.next());
            let at_least = low.and_then(|low| compare(&first, &low, Ordering::is_ge));
            let at_most = high.and_then(|high| compare(&first, &high, Ordering::is_le));
            Ok(boolean(both(at_least, at_most)))
        }
        Operation::And => Ok(boolean(both(
            truth(&first),
            operands.next().as_ref().and_then(truth),
        ))),
        Operation::Or => {
            let (left, right) = (truth(&first), operands.next().as_ref().and_then(truth));
            Ok(boolean(match (left, right) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            }))
        }
        Operation::Filter => Ok(Value::Boolean(truth(&first) == Some(true))),
        Operation::IsNull => Ok(Value::Boolean(first == Value::Null)),
        Operation::Coalesce => Ok(std::iter::once(first)
            .chain(operands)
            .find(|value| *value != Value::Null)
            .unwrap_or(Value::Null)),
        Operation::Cond => {
            let (then, otherwise) = (operands.next(), operands.next());
            let chosen = if truth(&first) == Some(true) {
                then
            } else {
                otherwise
            };
            Ok(chosen.unwrap_or(Value::Null))
        }
        Operation::ToNumber | Operation::ToText | Operation::ToBoolean | Operation::ToDate => {
            cast(call, first)
        }
        _ => Ok(strict(call.operation, first, &operands.collect::<Vec<_>>())),
    }
}

/// Whether an operand is null.
fn check_operands(call: &Call, operands: &[Value<'_>]) -> Result<bool> {
    let mut has_null = false;
    // What a constant is compared with is wrong, and not the constant.
    let mut compared: Option<Kind> = call.operands.iter().find_map(constant_kind);
    for (place, operand) in operands.iter().enumerate() {
        let kind = operand.kind();
        if kind == Kind::Null {
            has_null = true;
            continue;
        }
        match call.operation.operand(place) {
            OperandKind::Of(needed) if needed != kind => {
                return Err(value_failure(call, place, kind, needed.described()));
            }
            OperandKind::Comparable => {
                if !kind.is_comparable() || compared.is_some_and(|compared| compared != kind) {
                    let needed = compared.map_or(ANYTHING_COMPARABLE, Kind::described);
                    return Err(value_failure(call, place, kind, needed));
                }
                compared = Some(kind);
            }
            OperandKind::Of(_) | OperandKind::Any => {}
        }
    }
    Ok(has_null)
}

/// The kind of a constant that is not null.
fn constant_kind(operand: &Node) -> Option<Kind> {
    match operand {
        Node::Literal { value, .. } if *value != Value::Null => Some(value.kind()),
        _ => None,
    }
}

fn boolean<'v>(value: Option<bool>) -> Value<'v> {
    value.map_or(Value::Null, Value::Boolean)
}

fn truth(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        _ => None,
    }
}

/// False decides, whatever the other is.
pub(crate) const fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Whether two values, of one kind, stand to each other as `holds` says; none where one is null. NaN stands to nothing.
fn compare(left: &Value<'_>, right: &Value<'_>, holds: impl Fn(Ordering) -> bool) -> Option<bool> {
    let ordering = match (left, right) {
        (Value::Number(left), Value::Number(right)) | (Value::Date(left), Value::Date(right)) => {
            left.partial_cmp(right)
        }
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.compare(right)),
        _ => return None,
    };
    Some(ordering.is_some_and(holds))
}

/// Operations whose operands are all there and of their kinds.
fn strict<'v>(operation: Operation, first: Value<'v>, rest: &[Value<'v>]) -> Value<'v> {
    match (first, rest) {
        (value, rest) if is_comparison(operation) => comparison(operation, &value, rest),
        (Value::Number(number), rest) => {
            let second = match rest.first() {
                Some(Value::Number(second)) => *second,
                _ => f64::NAN,
            };
            Value::Number(arithmetic(operation, number, second))
        }
        (Value::Boolean(value), _) => Value::Boolean(!value),
        (Value::Text(text), rest) => of_text(operation, text, rest),
        (Value::Date(millis), rest) => of_date(operation, millis, rest),
        _ => Value::Null,
    }
}

const fn is_comparison(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Eq
            | Operation::Ne
            | Operation::Gt
            | Operation::Ge
            | Operation::Lt
            | Operation::Le
            | Operation::In
    )
}

fn comparison<'v>(operation: Operation, value: &Value<'_>, rest: &[Value<'_>]) -> Value<'v> {
    if operation == Operation::In {
        return Value::Boolean(
            rest.iter()
                .any(|item| compare(value, item, Ordering::is_eq) == Some(true)),
        );
    }
    let holds = ordering_test(operation);
    let compared = rest.first().and_then(|other| compare(value, other, holds));
    // NaN differs from everything.
    boolean(if operation == Operation::Ne {
        compared.map(|is_equal| !is_equal)
    } else {
        compared
    })
}

/// What the ordering of two values has to be; of `ne`, what it must not be.
pub(crate) const fn ordering_test(operation: Operation) -> fn(Ordering) -> bool {
    match operation {
        Operation::Gt => Ordering::is_gt,
        Operation::Ge => Ordering::is_ge,
        Operation::Lt => Ordering::is_lt,
        Operation::Le => Ordering::is_le,
        _ => Ordering::is_eq,
    }
}

/// Arithmetic of two numbers, or of the first.
#[inline]
pub(crate) fn arithmetic(operation: Operation, a: f64, b: f64) -> f64 {
    match operation {
        Operation::Add => a + b,
        Operation::Sub => a - b,
        Operation::Mul => a * b,
        Operation::Div => a / b,
        Operation::Mod => a % b,
        Operation::Neg => -a,
        Operation::Abs => a.abs(),
        Operation::Floor => a.floor(),
        Operation::Ceil => a.ceil(),
        Operation::Round => round(a),
        _ => f64::NAN,
    }
}

/// As `Math.round`: of two equally near numbers the larger, and -0 stays.
#[inline]
fn round(number: f64) -> f64 {
    let floor = number.floor();
    if number - floor < 0.5 {
        return floor;
    }
    let above = floor + 1.0;
    if above == 0.0 { -0.0 } else { above }
}

fn of_text<'v>(operation: Operation, text: Text<'v>, rest: &[Value<'v>]) -> Value<'v> {
    let texts = || {
        rest.iter().filter_map(|value| {
            if let Value::Text(text) = value {
                Some(text)
            } else {
                None
            }
        })
    };
    let numbers = || {
        rest.iter().filter_map(|value| {
            if let Value::Number(number) = value {
                Some(*number)
            } else {
                None
            }
        })
    };
    let empty = Text::from("");
    let other = texts().next().unwrap_or(&empty);
    match operation {
        Operation::Lower => Value::Text(text.lower()),
        Operation::Upper => Value::Text(text.upper()),
        Operation::Trim => Value::Text(text.trim().into_owned()),
        Operation::Length => Value::Number(text.len_units() as f64),
        Operation::Concat => {
            let all: Vec<Text<'v>> = std::iter::once(text).chain(texts().cloned()).collect();
            Value::Text(Text::concat(&all))
        }
        Operation::StartsWith => Value::Boolean(text.starts_with(other)),
        Operation::EndsWith => Value::Boolean(text.ends_with(other)),
        Operation::Contains => Value::Boolean(text.contains(other)),
        Operation::Slice => {
            let mut numbers = numbers();
            let (start, end) = (numbers.next().unwrap_or(0.0), numbers.next());
            Value::Text(text.slice(start, end).into_owned())
        }
        Operation::Replace => Value::Text(text.replace(other, texts().nth(1).unwrap_or(&empty))),
        _ => Value::Null,
    }
}

fn of_date<'v>(operation: Operation, millis: f64, rest: &[Value<'v>]) -> Value<'v> {
    if operation == Operation::Truncate {
        let unit = match rest.first() {
            Some(Value::Text(Text::Utf8(name))) => DateUnit::from_name(name),
            _ => None,
        };
        return unit.map_or(Value::Null, |unit| Value::Date(truncate(millis, unit)));
    }
    Value::Number(part_of_date(operation, millis))
}

/// A part of a date as a number.
pub(crate) fn part_of_date(operation: Operation, millis: f64) -> f64 {
    let unit = match operation {
        Operation::Year => DateUnit::Year,
        Operation::Month => DateUnit::Month,
        Operation::Day => DateUnit::Day,
        Operation::Hour => DateUnit::Hour,
        Operation::Minute => DateUnit::Minute,
        Operation::Second => DateUnit::Second,
        Operation::Weekday => DateUnit::Week,
        _ => return millis,
    };
    date_part(millis, unit)
}

fn cast<'v>(call: &Call, value: Value<'v>) -> Result<Value<'v>> {
    let wrong = |kind: Kind, needed| Err(value_failure(call, 0, kind, needed));
    match (call.operation, value) {
        (Operation::ToNumber, Value::Date(millis)) => Ok(Value::Number(millis)),
        (Operation::ToNumber, Value::Boolean(value)) => Ok(Value::Number(f64::from(u8::from(value)))),
        (Operation::ToNumber, Value::Text(text)) => {
            let number = if let Text::Utf8(text) = &text {
                parse_number(text)
            } else {
                None
            };
            number
                .map(Value::Number)
                .ok_or_else(|| cast_failure(call, &text, "number"))
        }
        (Operation::ToText, Value::Number(number)) => Ok(Value::Text(number_text(number))),
        (Operation::ToText, Value::Boolean(value)) => {
            Ok(Value::Text(Text::from(if value { "true" } else { "false" })))
        }
        (Operation::ToText, Value::Date(millis)) => Ok(Value::Text(date_text(millis))),
        (Operation::ToBoolean, Value::Number(number)) => {
            Ok(Value::Boolean(!(number == 0.0 || number.is_nan())))
        }
        (Operation::ToBoolean, Value::Text(text)) => match &text {
            Text::Utf8(word) if word == "true" => Ok(Value::Boolean(true)),
            Text::Utf8(word) if word == "false" => Ok(Value::Boolean(false)),
            _ => Err(cast_failure(call, &text, "boolean")),
        },
        (Operation::ToDate, Value::Number(number)) => Ok(Value::Date(time_clip(number))),
        (Operation::ToDate, Value::Text(text)) => {
            let date = if let Text::Utf8(text) = &text {
                parse_iso_date(text)
            } else {
                None
            };
            date.map(Value::Date)
                .ok_or_else(|| cast_failure(call, &text, "date"))
        }
        (Operation::ToNumber, value @ Value::Number(_))
        | (Operation::ToText, value @ Value::Text(_))
        | (Operation::ToBoolean, value @ Value::Boolean(_))
        | (Operation::ToDate, value @ Value::Date(_)) => Ok(value),
        (Operation::ToBoolean, value) => wrong(value.kind(), "a number, string or boolean"),
        (Operation::ToDate, value) => wrong(value.kind(), "a number, string or date"),
        (_, value) => wrong(value.kind(), ANYTHING_COMPARABLE),
    }
}

/// A number in decimal notation; the one of JavaScript's forms that is nothing else.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let text = trim(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Rust also reads "inf", "nan" and their like.
    let is_decimal = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if is_decimal || unsigned == "Infinity" {
        text.parse().ok()
    } else {
        None
    }
}

/// `String(number)`.
pub(crate) fn number_text(number: f64) -> Text<'static> {
    let mut text = Vec::new();
    push_number(number, &mut text);
    ascii(text)
}

/// `toISOString()`, or what an invalid date is called.
pub(crate) fn date_text(millis: f64) -> Text<'static> {
    let mut text = Vec::new();
    if push_iso_date(millis, &mut text) {
        ascii(text)
    } else {
        Text::from("Invalid Date")
    }
}

fn ascii(text: Vec<u8>) -> Text<'static> {
    Text::Utf8(Cow::Owned(String::from_utf8(text).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_in_javascript() {
        // Right column: what node prints for Math.round(value).
        for (number, rounded) in [
            (2.5, 3.0),
            (-2.5, -2.0),
            (0.499_999_999_999_999_94, 0.0),
            (-0.5, -0.0),
            (-0.2, -0.0),
            (-0.0, -0.0),
            (0.0, 0.0),
            (1e300, 1e300),
            (4_503_599_627_370_495.5, 4_503_599_627_370_496.0),
            (-1e-20, -0.0),
            (f64::INFINITY, f64::INFINITY),
        ] {
            assert_eq!(round(number).to_bits(), f64::to_bits(rounded), "{number}");
        }
        assert!(round(f64::NAN).is_nan());
    }

    #[test]
    fn texts_that_are_numbers_and_texts_that_are_none() {
        for (text, number) in [
            ("12", 12.0),
            (" -1.5e3\u{a0}", -1500.0),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e400", f64::INFINITY),
        ] {
            assert_eq!(parse_number(text), Some(number), "{text}");
        }
        for text in [
            "", " ", "inf", "nan", "NaN", "infinity", "0x10", "1_000", "1e", "e5", ".", "1 2", "--1", "+-1",
            "1,5",
        ] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }
}
