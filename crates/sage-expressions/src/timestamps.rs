//! Event times from a field, and how far event time has come.

use sage_frame::{BatchView, push_iso_date};
use sage_types::{ErrorCode, Result, SageError};

use crate::chain_spec::TimestampSpec;
use crate::evaluate::{Evaluated, Evaluation};
use crate::expression::Expression;
use crate::nested::described_input;
use crate::value::{Kind, Value};
use crate::vector::Vector;

/// Dates of JavaScript end here.
const MAX_EPOCH_MS: f64 = 8.64e15;

/// The event times of one `assignTimestamps`: what `ts/runtime/stage/timestamp-assigner.ts` does for JavaScript.
#[derive(Debug)]
pub(crate) struct Timestamps {
    expression: Expression,
    out_of_orderness_ms: f64,
    max_ahead_ms: f64,
    /// The greatest timestamp so far.
    max: f64,
    said: f64,
}

/// A batch with event times.
#[derive(Debug)]
pub(crate) struct Stamped {
    pub(crate) times: Vec<f64>,
    /// Behind so many rows the watermark goes on, in epoch milliseconds.
    pub(crate) watermarks: Vec<(usize, f64)>,
}

impl Timestamps {
    pub(crate) fn new(spec: TimestampSpec) -> Self {
        Self {
            expression: Expression::column([spec.field].into()),
            out_of_orderness_ms: spec.out_of_orderness_ms,
            max_ahead_ms: spec.max_ahead_ms,
            max: f64::NEG_INFINITY,
            said: f64::NEG_INFINITY,
        }
    }

    /// The times of the rows. A watermark is said before a row that is late for it, so that what it is late for does not depend on how
    /// many rows are worked on at a time, and at the end.
    ///
    /// # Errors
    /// `SAGE_TIME_INVALID` and `SAGE_TIME_AHEAD` with `row`.
    pub(crate) fn apply(&mut self, view: &BatchView<'_>, now_ms: f64) -> Result<Stamped> {
        let evaluation = Evaluation::new(&self.expression, view);
        let times = times_of(evaluation.evaluate()?, view.rows())?;
        drop(evaluation);
        let limit = MAX_EPOCH_MS.min(now_ms + self.max_ahead_ms);
        let mut watermarks = Vec::new();
        for (row, &time) in times.iter().enumerate() {
            if time > self.max {
                if time > limit {
                    return Err(self.too_far_ahead(time, now_ms).with("row", row));
                }
                self.max = time;
            } else if !(time <= self.max && time >= self.max - self.out_of_orderness_ms) {
                check(time).map_err(|error| error.with("row", row))?;
                self.say(row, &mut watermarks);
            }
        }
        self.say(times.len(), &mut watermarks);
        Ok(Stamped { times, watermarks })
    }

    fn say(&mut self, row: usize, watermarks: &mut Vec<(usize, f64)>) {
        let watermark = self.max - self.out_of_orderness_ms;
        if watermark > self.said {
            self.said = watermark;
            watermarks.push((row, watermark));
        }
    }

    fn too_far_ahead(&self, time: f64, now_ms: f64) -> SageError {
        if time > MAX_EPOCH_MS {
            return invalid(&format!("the timestamp of a record is {time}, behind all dates"));
        }
        let ahead = (time - now_ms).round();
        SageError::new(
            ErrorCode::TimeAhead,
            format!(
                "the timestamp of a record, {}, is {ahead} ms ahead of the clock; {} ms are allowed",
                iso_text(time),
                self.max_ahead_ms
            ),
        )
    }
}

fn iso_text(time: f64) -> String {
    let mut text = Vec::new();
    push_iso_date(time, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A timestamp that is not above those before it.
fn check(time: f64) -> Result<()> {
    if time.is_nan() {
        return Err(invalid("the timestamp of a record is NaN"));
    }
    if time < -MAX_EPOCH_MS {
        return Err(invalid(&format!(
            "the timestamp of a record is {time}, before all dates"
        )));
    }
    Ok(())
}

fn times_of(evaluated: Evaluated<'_>, rows: usize) -> Result<Vec<f64>> {
    match evaluated {
        Evaluated::Vector(
            Vector::Numbers { values, nulls: None } | Vector::Dates { values, nulls: None },
        ) => Ok(values.into_owned()),
        Evaluated::Vector(vector) => (0..rows).map(|row| time_of(&vector.value(row), row)).collect(),
        Evaluated::Values(values) => values
            .iter()
            .enumerate()
            .map(|(row, value)| time_of(value, row))
            .collect(),
    }
}

fn time_of(value: &Value<'_>, row: usize) -> Result<f64> {
    match value {
        Value::Number(time) | Value::Date(time) => Ok(*time),
        _ => {
            let what = match value.kind() {
                Kind::Null => "null or missing".to_owned(),
                _ => described_input(value),
            };
            Err(invalid(&format!("the timestamp of a record is {what}")).with("row", row))
        }
    }
}

fn invalid(message: &str) -> SageError {
    SageError::new(
        ErrorCode::TimeInvalid,
        format!("{message}, and not a number of milliseconds since 1970 or a Date"),
    )
}
