//! The inner loops of aggregates.
//!
//! All sums are taken in the order of the rows: JavaScript computes the same aggregates elsewhere, and the results must
//! not depend on where.

use crate::aggregate_inputs::Input;
use crate::slot_rows::SlotRows;

/// State of an aggregator without input so far, and result where there is none. A NaN that no input is stored as.
const EMPTY_BITS: u64 = 0x7ff4_5a6e_0000_0001;
pub(crate) const EMPTY: f64 = f64::from_bits(EMPTY_BITS);

/// Whether a state or result stands for no value.
#[inline]
pub(crate) const fn is_empty(value: f64) -> bool {
    value.to_bits() == EMPTY_BITS
}

/// A number as it is stored: every NaN is the same.
#[inline]
const fn stored(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

/// An aggregator with `N` words of state.
pub(crate) trait Kernel<const N: usize> {
    /// The state before the first input.
    const START: [f64; N];
    /// Takes an input.
    fn add(state: &mut [f64], value: f64);
    /// Takes what another state has taken, as if it had come after what this one has.
    fn merge(state: &mut [f64], other: &[f64]);
    /// The result so far; [`EMPTY`] for null.
    fn result(state: &[f64]) -> f64;
}

pub(crate) struct Count;
impl Kernel<1> for Count {
    const START: [f64; 1] = [0.0];
    #[inline]
    fn add(state: &mut [f64], _: f64) {
        state[0] += 1.0;
    }
    #[inline]
    fn merge(state: &mut [f64], other: &[f64]) {
        state[0] += other[0];
    }
    #[inline]
    fn result(state: &[f64]) -> f64 {
        state[0]
    }
}

pub(crate) struct Sum;
impl Kernel<1> for Sum {
    const START: [f64; 1] = [0.0];
    #[inline]
    fn add(state: &mut [f64], value: f64) {
        state[0] += value;
    }
    #[inline]
    fn merge(state: &mut [f64], other: &[f64]) {
        state[0] += other[0];
    }
    #[inline]
    fn result(state: &[f64]) -> f64 {
        state[0]
    }
}

pub(crate) struct Avg;
impl Kernel<2> for Avg {
    const START: [f64; 2] = [0.0, 0.0];
    #[inline]
    fn add(state: &mut [f64], value: f64) {
        state[0] += value;
        state[1] += 1.0;
    }
    #[inline]
    fn merge(state: &mut [f64], other: &[f64]) {
        state[0] += other[0];
        state[1] += other[1];
    }
    #[inline]
    fn result(state: &[f64]) -> f64 {
        if state[1] == 0.0 {
            EMPTY
        } else {
            stored(state[0] / state[1])
        }
    }
}

pub(crate) struct Min;
impl Kernel<1> for Min {
    const START: [f64; 1] = [EMPTY];
    #[inline]
    fn add(state: &mut [f64], value: f64) {
        // Of 0 and -0 the first stays, as with `<` in JavaScript.
        if value < state[0] || value.is_nan() || is_empty(state[0]) {
            state[0] = stored(value);
        }
    }
    #[inline]
    fn merge(state: &mut [f64], other: &[f64]) {
        if !is_empty(other[0]) {
            Self::add(state, other[0]);
        }
    }
    #[inline]
    fn result(state: &[f64]) -> f64 {
        state[0]
    }
}

pub(crate) struct Max;
impl Kernel<1> for Max {
    const START: [f64; 1] = [EMPTY];
    #[inline]
    fn add(state: &mut [f64], value: f64) {
        if value > state[0] || value.is_nan() || is_empty(state[0]) {
            state[0] = stored(value);
        }
    }
    #[inline]
    fn merge(state: &mut [f64], other: &[f64]) {
        if !is_empty(other[0]) {
            Self::add(state, other[0]);
        }
    }
    #[inline]
    fn result(state: &[f64]) -> f64 {
        state[0]
    }
}

pub(crate) struct First;
impl Kernel<1> for First {
    const START: [f64; 1] = [EMPTY];
    #[inline]
    fn add(state: &mut [f64], value: f64) {
        if is_empty(state[0]) {
            state[0] = stored(value);
        }
    }
    #[inline]
    fn merge(state: &mut [f64], other: &[f64]) {
        if is_empty(state[0]) {
            state[0] = other[0];
        }
    }
    #[inline]
    fn result(state: &[f64]) -> f64 {
        state[0]
    }
}

pub(crate) struct Last;
impl Kernel<1> for Last {
    const START: [f64; 1] = [EMPTY];
    #[inline]
    fn add(state: &mut [f64], value: f64) {
        state[0] = stored(value);
    }
    #[inline]
    fn merge(state: &mut [f64], other: &[f64]) {
        if !is_empty(other[0]) {
            state[0] = other[0];
        }
    }
    #[inline]
    fn result(state: &[f64]) -> f64 {
        state[0]
    }
}

/// Adds a batch to the states of its slots, those of the aggregator starting at word `at` of each slot. Calls `emit` with
/// the result after each row, in order.
pub(crate) fn accumulate<K: Kernel<N>, const N: usize>(
    states: &mut SlotRows<f64>,
    at: usize,
    slots: &[u32],
    input: &Input<'_>,
    mut emit: impl FnMut(f64),
) {
    match input {
        Input::Rows => {
            for &slot in slots {
                let state = states.part_mut::<N>(slot, at);
                K::add(state, 0.0);
                emit(K::result(state));
            }
        }
        Input::Absent => {
            for &slot in slots {
                emit(K::result(states.part_mut::<N>(slot, at)));
            }
        }
        Input::Numbers {
            values,
            presence: None,
        } => {
            for (&slot, &value) in slots.iter().zip(&**values) {
                let state = states.part_mut::<N>(slot, at);
                K::add(state, value);
                emit(K::result(state));
            }
        }
        Input::Numbers {
            values,
            presence: Some(presence),
        } => {
            for ((&slot, &value), &presence) in slots.iter().zip(&**values).zip(*presence) {
                let state = states.part_mut::<N>(slot, at);
                if presence == sage_frame::presence::VALUE {
                    K::add(state, value);
                }
                emit(K::result(state));
            }
        }
    }
}

/// Adds rows of a column, each to the state of a slot, in order. An empty value is no input; an empty column has a value for
/// no row in particular, and every row counts.
pub(crate) fn add_rows<K: Kernel<N>, const N: usize>(
    states: &mut SlotRows<f64>,
    at: usize,
    rows: &[u32],
    slots: &[u32],
    column: &[f64],
) {
    if column.is_empty() {
        for &slot in slots {
            K::add(states.part_mut::<N>(slot, at), 0.0);
        }
        return;
    }
    for (&row, &slot) in rows.iter().zip(slots) {
        let value = column[row as usize];
        if !is_empty(value) {
            K::add(states.part_mut::<N>(slot, at), value);
        }
    }
}
