//! The words of the program that tells JavaScript what to do with its accumulators.

/// The first word of each instruction, with the words that follow. `docs/internals/windows.md` explains them.
pub mod word {
    /// `slot row`: the slot belongs to the key of this row.
    pub const KEY: i32 = 1;
    /// `slot`: its key has nothing left.
    pub const DROP: i32 = 2;
    /// `acc`: make it empty.
    pub const INIT: i32 = 3;
    /// `n (row acc)*n`: add rows.
    pub const ADD: i32 = 4;
    /// `into from`: add the content of another.
    pub const MERGE: i32 = 5;
    /// `acc slot window`: give a result.
    pub const EMIT: i32 = 6;
    /// `slot window n acc*n`: give a result of several, by arrival of their elements.
    pub const EMIT_PANES: i32 = 7;
    /// `acc`: forget it.
    pub const FREE: i32 = 8;
    /// `acc slot window`: it stands for this window.
    pub const OPEN: i32 = 9;
}
