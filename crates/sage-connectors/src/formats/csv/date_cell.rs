//! Dates of ISO 8601 in cells.

const MILLIS_OF_DAY: i64 = 86_400_000;
/// Farthest moment that a `Date` has, in milliseconds on both sides of 1970.
const MAX_MILLIS: i64 = 8_640_000_000_000_000;

/// Milliseconds since 1970 of `2024-02-29`, `2024-02-29T12:34`, `2024-02-29 12:34:56.789+01:00` and the like; `/` may stand
/// for `-`, and a year may have a sign and six digits, as `Date.prototype.toISOString` writes it. Without an
/// offset it is UTC, wherever the program runs. `None` for anything else, dates that do not exist included.
pub(crate) fn parse_date(text: &[u8]) -> Option<f64> {
    let mut at = Reader { text };
    let year = at.year()?;
    let separator = at.one_of(b"-/")?;
    let month = at.digits(2)?;
    at.one_of(&[separator])?;
    let day = at.digits(2)?;
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let mut millis = days_since_1970(year, month, day) * MILLIS_OF_DAY;
    if at.one_of(b"Tt ").is_some() {
        millis += at.time_of_day()?;
        millis -= at.offset()?;
    }
    (at.text.is_empty() && millis.abs() <= MAX_MILLIS).then_some(millis as f64)
}

struct Reader<'a> {
    text: &'a [u8],
}

impl Reader<'_> {
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (&first, rest) = self.text.split_first()?;
        bytes.contains(&first).then(|| {
            self.text = rest;
            first
        })
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.text.split_at_checked(count)?;
        let value = digits.iter().try_fold(0, |value, byte| {
            byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
        })?;
        self.text = rest;
        Some(value)
    }

    fn year(&mut self) -> Option<i64> {
        match self.one_of(b"+-") {
            None => self.digits(4),
            Some(b'+') => self.digits(6),
            Some(_) => self.digits(6).map(|year| -year),
        }
    }

    /// `12:34`, `12:34:56`, `12:34:56.789`; further digits of a second are cut off.
    fn time_of_day(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        let mut second = 0;
        let mut millis = 0;
        if self.one_of(b":").is_some() {
            second = self.digits(2)?;
            if self.one_of(b".,").is_some() {
                let digits = self.text.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if digits == 0 {
                    return None;
                }
                for (place, &digit) in [100, 10, 1].iter().zip(&self.text[..digits]) {
                    millis += place * i64::from(digit - b'0');
                }
                self.text = &self.text[digits..];
            }
        }
        // The end of a day may be written as 24:00.
        let is_end = hour == 24 && minute == 0 && second == 0 && millis == 0;
        if (hour > 23 && !is_end) || minute > 59 || second > 59 {
            return None;
        }
        Some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
    }

    /// Milliseconds that the clock of the text is ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-") {
            None | Some(b'Z' | b'z') => return Some(0),
            Some(b'-') => -1,
            Some(_) => 1,
        };
        let hours = self.digits(2)?;
        let minutes = if self.one_of(b":").is_some() || !self.text.is_empty() {
            self.digits(2)?
        } else {
            0
        };
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60_000)
    }
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is their last one; eras have 400 years.
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::json::push_iso_date;

    #[test]
    fn dates_are_those_that_javascript_reads() {
        // Right column: what node prints for Date.parse(text), with Z added where there is no offset.
        for (text, expected) in [
            ("1970-01-01", 0.0),
            ("2024-02-29T12:34:56.789Z", 1_709_210_096_789.0),
            ("2024-02-29 12:34:56.7891234", 1_709_210_096_789.0),
            ("2024/02/29T12:34", 1_709_210_040_000.0),
            ("2024-02-29T12:34:56+01:30", 1_709_204_696_000.0),
            ("2024-02-29T12:34:56-0130", 1_709_215_496_000.0),
            ("2024-02-29T24:00", 1_709_251_200_000.0),
            ("-000001-12-31T23:59:59.999Z", -62_167_219_200_001.0),
            ("+275760-09-13T00:00:00.000Z", 8.64e15),
        ] {
            assert_eq!(parse_date(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2024",
            "2024-2-1",
            "2023-02-29",
            "2024-13-01",
            "2024-01-00",
            "2024-01-01T",
            "2024-01-01T1:00",
            "2024-01-01T25:00",
            "2024-01-01T24:01",
            "2024-01-01T12:60",
            "2024-01-01T12:00:00.",
            "2024-01-01x",
            "2024-01-01T12:00+1",
            "2024-01/01",
            "+275760-09-13T00:00:00.001Z",
            "12/31/2024",
        ] {
            assert_eq!(parse_date(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_date_that_is_written_is_read(millis in -MAX_MILLIS..=MAX_MILLIS) {
            let mut text = Vec::new();
            prop_assert!(push_iso_date(millis as f64, &mut text));
            prop_assert_eq!(parse_date(&text), Some(millis as f64));
        }
    }
}
