//! Dates as `Date.prototype.toISOString` writes them.

/// Farthest moment that a `Date` has, in milliseconds on both sides of 1970.
const MAX_MILLIS: f64 = 8.64e15;
const MILLIS_OF_DAY: i64 = 86_400_000;

/// Appends `2024-02-29T12:34:56.789Z`; false, and nothing is appended, for an invalid date.
pub fn push_iso_date(epoch_millis: f64, text: &mut Vec<u8>) -> bool {
    // NaN is not within either.
    if !(-MAX_MILLIS..=MAX_MILLIS).contains(&epoch_millis) {
        return false;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within 8.64e15; a Date has whole milliseconds"
    )]
    let millis = epoch_millis as i64;
    let (year, month, day) = civil_date(millis.div_euclid(MILLIS_OF_DAY));
    let of_day = millis.rem_euclid(MILLIS_OF_DAY);
    if (0..=9999).contains(&year) {
        push_digits(year, 4, text);
    } else {
        text.push(if year < 0 { b'-' } else { b'+' });
        push_digits(year.abs(), 6, text);
    }
    for (separator, value, width) in [
        (b'-', month, 2),
        (b'-', day, 2),
        (b'T', of_day / 3_600_000, 2),
        (b':', of_day / 60_000 % 60, 2),
        (b':', of_day / 1000 % 60, 2),
        (b'.', of_day % 1000, 3),
    ] {
        text.push(separator);
        push_digits(value, width, text);
    }
    text.push(b'Z');
    true
}

/// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar.
#[must_use]
pub fn civil_date(days: i64) -> (i64, i64, i64) {
    // Years are counted from March, so that the leap day is the last one; eras have 400 years.
    let from_march = days + 719_468;
    let era = from_march.div_euclid(146_097);
    let day_of_era = from_march.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[expect(clippy::cast_sign_loss, reason = "one digit of a value that is not negative")]
fn push_digits(value: i64, width: u32, text: &mut Vec<u8>) {
    text.extend(
        (0..width)
            .rev()
            .map(|place| b'0' + (value / 10_i64.pow(place) % 10) as u8),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(millis: f64) -> Option<String> {
        let mut text = Vec::new();
        push_iso_date(millis, &mut text).then(|| String::from_utf8(text).unwrap())
    }

    #[test]
    fn dates_are_written_as_javascript_writes_them() {
        // Right column: what node prints for new Date(millis).toISOString().
        for (millis, expected) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (-1.0, "1969-12-31T23:59:59.999Z"),
            (1_709_210_096_789.0, "2024-02-29T12:34:56.789Z"),
            (951_782_400_000.0, "2000-02-29T00:00:00.000Z"),
            (-2_203_891_200_000.0, "1900-03-01T00:00:00.000Z"),
            (-62_167_219_200_000.0, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_200_001.0, "-000001-12-31T23:59:59.999Z"),
            (253_402_300_800_000.0, "+010000-01-01T00:00:00.000Z"),
            (8.64e15, "+275760-09-13T00:00:00.000Z"),
            (-8.64e15, "-271821-04-20T00:00:00.000Z"),
        ] {
            assert_eq!(text(millis).as_deref(), Some(expected), "{millis}");
        }
        assert_eq!(text(f64::NAN), None);
        assert_eq!(text(8.64e15 + 1.0), None);
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut expected = (1970, 1, 1);
        for days in 0..200_000 {
            assert_eq!(civil_date(days), expected);
            let (year, month, day) = expected;
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let last = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, day) if day == last => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }
}
