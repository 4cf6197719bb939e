//! Keyed slots and built-in aggregates.
