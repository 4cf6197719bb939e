//! Native readers and writers: text lines, JSON lines, Parquet.
