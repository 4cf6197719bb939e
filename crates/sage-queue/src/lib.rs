//! Bounded channels with row and byte credits, and the wake-up protocol between threads.
