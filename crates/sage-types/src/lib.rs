//! Ids, the clock, the error table and key groups: what every other crate of SAGE Kernel names.
