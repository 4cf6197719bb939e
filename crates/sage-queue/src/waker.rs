//! Who is told that something has happened.

/// Told that its owner should look again. Spurious calls are allowed, missing ones are not.
pub trait Waker: Send + Sync {
    /// Called from any thread, never with a lock of this crate held.
    fn wake(&self);
}

/// For an end that nobody waits at (tests, and consumers that poll).
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWaker;

impl Waker for NoWaker {
    fn wake(&self) {}
}
