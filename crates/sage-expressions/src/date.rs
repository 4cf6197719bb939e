//! Dates in UTC, by milliseconds since 1970; NaN is an invalid date, as in JavaScript.

use sage_frame::civil_date;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Farthest moment that a `Date` has, in milliseconds on both sides of 1970.
const MAX_MILLIS: f64 = 8.64e15;

/// A part of a date, or what it is cut off to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateUnit {
    /// Calendar years.
    Year,
    /// From 1 to 12.
    Month,
    /// From Monday.
    Week,
    /// Of the month, from 1.
    Day,
    /// From 0 to 23.
    Hour,
    /// From 0 to 59.
    Minute,
    /// From 0 to 59.
    Second,
}

impl DateUnit {
    /// The unit of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "year" => Self::Year,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            _ => return None,
        })
    }
}

/// What `new Date(millis).getTime()` gives.
#[must_use]
pub fn time_clip(millis: f64) -> f64 {
    if (-MAX_MILLIS..=MAX_MILLIS).contains(&millis) {
        // -0 is 0.
        millis.trunc() + 0.0
    } else {
        f64::NAN
    }
}

/// Whole milliseconds; none for an invalid date.
#[expect(clippy::cast_possible_truncation, reason = "within 8.64e15")]
fn whole(millis: f64) -> Option<i64> {
    let clipped = time_clip(millis);
    (!clipped.is_nan()).then_some(clipped as i64)
}

/// A part of a date; NaN of an invalid one. For a week the day in it: 0 for Sunday.
#[must_use]
pub fn date_part(millis: f64, unit: DateUnit) -> f64 {
    let Some(millis) = whole(millis) else {
        return f64::NAN;
    };
    let days = millis.div_euclid(DAY);
    let of_day = millis.rem_euclid(DAY);
    let part = match unit {
        DateUnit::Year => civil_date(days).0,
        DateUnit::Month => civil_date(days).1,
        DateUnit::Day => civil_date(days).2,
        // 1970-01-01 was a Thursday.
        DateUnit::Week => (days + 4).rem_euclid(7),
        DateUnit::Hour => of_day / HOUR,
        DateUnit::Minute => of_day / MINUTE % 60,
        DateUnit::Second => of_day / SECOND % 60,
    };
    part as f64
}

/// The beginning of the unit that a date lies in.
#[must_use]
pub fn truncate(millis: f64, unit: DateUnit) -> f64 {
    let Some(millis) = whole(millis) else {
        return f64::NAN;
    };
    let floor = |unit: i64| millis.div_euclid(unit) * unit;
    let start = match unit {
        DateUnit::Second => floor(SECOND),
        DateUnit::Minute => floor(MINUTE),
        DateUnit::Hour => floor(HOUR),
        DateUnit::Day => floor(DAY),
        DateUnit::Week => {
            let days = millis.div_euclid(DAY);
            (days - (days + 3).rem_euclid(7)) * DAY
        }
        DateUnit::Month => {
            let (year, month, _) = civil_date(millis.div_euclid(DAY));
            days_from_civil(year, month, 1) * DAY
        }
        DateUnit::Year => {
            let (year, _, _) = civil_date(millis.div_euclid(DAY));
            days_from_civil(year, 1, 1) * DAY
        }
    };
    time_clip(start as f64)
}

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of an ISO 8601 text, in UTC where it has no offset; none for any other text.
#[must_use]
pub fn parse_iso_date(text: &str) -> Option<f64> {
    let mut rest = Rest(text.as_bytes());
    let year = match rest.0.first()? {
        sign @ (b'+' | b'-') => {
            let negative = *sign == b'-';
            rest.0 = &rest.0[1..];
            let year = rest.digits(6)?;
            if negative && year == 0 {
                return None;
            }
            if negative { -year } else { year }
        }
        _ => rest.digits(4)?,
    };
    let (month, day) = (rest.behind(b'-')?, rest.behind(b'-')?);
    let days = days_from_civil(year, month, day);
    if !(1..=12).contains(&month) || day < 1 || civil_date(days).2 != day {
        return None;
    }
    let mut millis = days * DAY;
    if let Some(b'T' | b' ') = rest.0.first() {
        rest.0 = &rest.0[1..];
        let (hour, minute) = (rest.digits(2)?, rest.behind(b':')?);
        let mut second = 0;
        let mut fraction = 0;
        if rest.0.first() == Some(&b':') {
            second = rest.behind(b':')?;
            if rest.0.first() == Some(&b'.') {
                rest.0 = &rest.0[1..];
                fraction = rest.fraction()?;
            }
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        millis += hour * HOUR + minute * MINUTE + second * SECOND + fraction - rest.offset()?;
    }
    let date = time_clip(millis as f64);
    (rest.0.is_empty() && !date.is_nan()).then_some(date)
}

/// What is still to be read of a text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let digits = self.0.get(..count)?;
        self.0 = &self.0[count..];
        digits.iter().try_fold(0, |value, digit| {
            digit
                .is_ascii_digit()
                .then(|| value * 10 + i64::from(digit - b'0'))
        })
    }

    /// Two digits behind a separator.
    fn behind(&mut self, separator: u8) -> Option<i64> {
        self.0 = self.0.strip_prefix(&[separator])?;
        self.digits(2)
    }

    /// Milliseconds of one to nine digits of a second.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let (digits, behind) = self.0.split_at(count);
        self.0 = behind;
        let digits = digits.iter().copied().chain([b'0'; 2]).take(3);
        Some(digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
    }

    /// Milliseconds that the time is ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        let negative = match self.0.first() {
            None => return Some(0),
            Some(b'Z') => {
                self.0 = &self.0[1..];
                return Some(0);
            }
            Some(b'+') => false,
            Some(b'-') => true,
            Some(_) => return None,
        };
        self.0 = &self.0[1..];
        let hours = self.digits(2)?;
        if self.0.first() == Some(&b':') {
            self.0 = &self.0[1..];
        }
        let minutes = self.digits(2)?;
        if hours > 23 || minutes > 59 {
            return None;
        }
        let offset = hours * HOUR + minutes * MINUTE;
        Some(if negative { -offset } else { offset })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sage_frame::push_iso_date;

    use super::*;

    fn iso(millis: f64) -> String {
        let mut text = Vec::new();
        push_iso_date(millis, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn texts_that_are_dates_and_texts_that_are_none() {
        for (text, expected) in [
            ("2024-02-29", "2024-02-29T00:00:00.000Z"),
            ("2024-02-29T12:30", "2024-02-29T12:30:00.000Z"),
            ("2024-02-29 12:30:15.5+01:30", "2024-02-29T11:00:15.500Z"),
            ("2024-02-29T12:30:15.123456789-0100", "2024-02-29T13:30:15.123Z"),
            ("-000001-12-31T23:59:59Z", "-000001-12-31T23:59:59.000Z"),
            ("0001-01-01", "0001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(parse_iso_date(text).map(iso).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "2024",
            "2024-02",
            "2024-02-30",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "24-01-01",
            "2024-01-01T24:00",
            "2024-01-01T12",
            "2024-01-01T12:60",
            "2024-01-01T12:00:00.",
            "2024-01-01Z",
            "2024-01-01T12:00+1",
            "-000000-01-01",
            "2024-01-01T12:00:00.1234567890",
            "+275760-09-14",
            "2024-01-01 ",
            "x",
        ] {
            assert_eq!(parse_iso_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_date_is_read_as_it_is_written(millis in -8_640_000_000_000_000_i64..=8_640_000_000_000_000) {
            prop_assert_eq!(parse_iso_date(&iso(millis as f64)), Some(millis as f64));
        }

        #[test]
        fn what_is_cut_off_lies_before_and_stays(millis in -8_000_000_000_000_000_i64..=8_000_000_000_000_000) {
            for unit in [DateUnit::Year, DateUnit::Month, DateUnit::Week, DateUnit::Day, DateUnit::Hour, DateUnit::Minute, DateUnit::Second] {
                let start = truncate(millis as f64, unit);
                prop_assert!(start <= millis as f64);
                prop_assert_eq!(truncate(start, unit).to_bits(), start.to_bits());
            }
        }
    }
}
