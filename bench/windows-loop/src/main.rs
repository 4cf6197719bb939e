//! `windows-loop json-lines|parquet-columns|parquet-arrow <input> <output> <size in ms> <disorder in ms>`: one run for each line of its standard input, and for each a line
//! of JSON on standard output: how long it took, by the clock and by the processor, and how many events were late.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write, stdin, stdout};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use crate::windows::Windows;

#[cfg(feature = "arrow")]
mod arrow_batches;
mod json_lines;
mod parquet_columns;
mod windows;

/// Whatever went wrong; told to the user, and never told apart.
type Failure = Box<dyn Error>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    elapsed_ms: f64,
    cpu_ms: f64,
    late: u64,
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [format, input, output, size_ms, disorder_ms] = args.as_slice() else {
        return Err(
            "usage: windows-loop json-lines|parquet-columns|parquet-arrow <input> <output> <size in ms> <disorder in ms>".into(),
        );
    };
    let (size_ms, disorder_ms) = (size_ms.parse()?, disorder_ms.parse()?);
    for line in stdin().lines() {
        line?;
        let (start, cpu) = (Instant::now(), processor_ms());
        let late = count(format, input, output, size_ms, disorder_ms)?;
        let report = Report {
            elapsed_ms: start.elapsed().as_secs_f64() * 1e3,
            cpu_ms: processor_ms() - cpu,
            late,
        };
        println!("{}", serde_json::to_string(&report)?);
        stdout().flush()?;
    }
    Ok(())
}

fn count(format: &str, input: &str, output: &str, size_ms: i64, disorder_ms: i64) -> Result<u64, Failure> {
    let mut windows = Windows::new(BufWriter::new(File::create(output)?), size_ms, disorder_ms);
    let add = |key: &str, at: i64| Ok(windows.add(key, at)?);
    match format {
        "json-lines" => json_lines::read(input, add)?,
        "parquet-columns" => parquet_columns::read(input, add)?,
        #[cfg(feature = "arrow")]
        "parquet-arrow" => arrow_batches::read(input, add)?,
        _ => return Err(format!("this build has no reader of '{format}'").into()),
    }
    Ok(windows.finish()?)
}

/// Of all threads of this process.
fn processor_ms() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 * 1e3 + spent.tv_nsec as f64 / 1e6
}
