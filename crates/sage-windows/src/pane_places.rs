//! The panes of the rows of a batch.

use crate::pane_grid::PaneGrid;
use crate::pane_state::{GridProgress, PaneState};

/// Rows are placed together when their panes are less than this apart.
const MAX_PLACES: i64 = 1024;

/// What is known of a pane.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: usize,
    state: PaneState,
    is_used: bool,
}

/// The panes of the next rows of a batch, found before the rows are added: with disorder, the pane of the next row would be
/// a guess that is mostly wrong.
#[derive(Debug, Default)]
pub(crate) struct PanePlaces {
    /// The pane of each row.
    numbers: Vec<i64>,
    /// What is known of the panes from `first` on.
    places: Vec<Place>,
    first: i64,
}

impl PanePlaces {
    /// Finds the panes of rows, up to the first row that is too far away from the others; how many rows.
    pub(crate) fn find(
        &mut self,
        times: impl Iterator<Item = f64>,
        grid: &PaneGrid,
        progress: &GridProgress,
    ) -> usize {
        self.numbers.clear();
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for time in times {
            let number = grid.number_at(time);
            let (lower, upper) = (least.min(number), most.max(number));
            if upper - lower >= MAX_PLACES {
                break;
            }
            (least, most) = (lower, upper);
            self.numbers.push(number);
        }
        self.first = least;
        self.places.clear();
        self.places.extend((least..=most).map(|number| Place {
            at: 0,
            state: progress.state_of(grid, number),
            is_used: false,
        }));
        for &number in &self.numbers {
            self.places[index(number - least)].is_used = true;
        }
        self.numbers.len()
    }

    /// The panes that rows are added to.
    pub(crate) fn to_ensure(&self) -> impl Iterator<Item = i64> + use<> {
        let takes_rows = |place: &Place| matches!(place.state, PaneState::Open | PaneState::Fired);
        let numbers = (self.first..).zip(&self.places);
        let used = numbers.filter(|(_, place)| place.is_used && takes_rows(place));
        used.map(|(number, _)| number).collect::<Vec<_>>().into_iter()
    }

    /// Says where a pane is; others than those of the rows are ignored.
    pub(crate) fn set(&mut self, number: i64, at: usize) {
        let place = number
            .checked_sub(self.first)
            .and_then(|distance| usize::try_from(distance).ok());
        if let Some(place) = place.and_then(|place| self.places.get_mut(place)) {
            place.at = at;
        }
    }

    /// The pane of a row: its number, where it is, and how its rows are treated.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> (i64, usize, PaneState) {
        let number = self.numbers[row];
        let Place { at, state, .. } = self.places[index(number - self.first)];
        (number, at, state)
    }

    /// Bytes of memory held.
    pub(crate) const fn bytes_used(&self) -> usize {
        self.numbers.capacity() * size_of::<i64>() + self.places.capacity() * size_of::<Place>()
    }
}

/// The distance of two panes that are less than [`MAX_PLACES`] apart.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is small, and not below 0"
)]
const fn index(distance: i64) -> usize {
    distance as usize
}
