//! Expressions over batches, and chains of operators made of them.
//!
//! An expression is evaluated twice over: kernels work on whole columns of one kind (`kernels`), and what they cannot take -
//! columns of several kinds, values that may fail - is worked out value by value (`scalar`). Both give what the JavaScript forms give;
//! `docs/guide/expressions.md` says what that is.

#![deny(unsafe_code)]

mod built_column;
mod canonical_key;
mod cast_kernels;
mod chain;
mod chain_counters;
mod chain_spec;
mod choice_kernels;
mod comparison_kernels;
mod date;
mod evaluate;
mod expression;
mod extract;
mod failure;
mod filter;
mod json_value;
mod kernels;
mod nested;
mod new_batch;
mod operation;
mod result_records;
mod scalar;
mod select;
mod source;
mod text;
mod text_kernels;
mod timestamps;
mod value;
mod vector;

pub use chain::{Given, NativeChain, TimedFrame};
pub use chain_counters::ChainCounters;
pub use result_records::ResultRecords;
