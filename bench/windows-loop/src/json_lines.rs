use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};

use serde::Deserialize;

use crate::Failure;

const BUFFER_BYTES: usize = 256 * 1024;

/// Of a line only what the windows need; borrowed where the text has no escapes.
#[derive(Deserialize)]
struct Reading<'a> {
    #[serde(borrow)]
    sensor: Cow<'a, str>,
    at: i64,
}

/// Gives key and time of each line of a file.
pub fn read(path: &str, mut take: impl FnMut(&str, i64) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        let reading: Reading = serde_json::from_slice(&line)?;
        take(&reading.sensor, reading.at)?;
        line.clear();
    }
    Ok(())
}
