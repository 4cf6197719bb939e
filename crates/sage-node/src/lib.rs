//! The N-API binding: converts and nothing else.
