//! Which windows of their own a row belongs to.

use sage_types::Result;

use crate::AssignerSpec;
use crate::pane_grid::PaneGrid;
use crate::window_spec::malformed;

/// Which windows a row belongs to.
#[derive(Debug)]
pub(crate) enum Assigner {
    /// Those with fixed edges.
    Grid(PaneGrid),
    /// The session that it begins or goes on with.
    Session { gap_ms: f64 },
    /// The only one of its key.
    Global,
}

impl Assigner {
    /// The assigner of a spec; `grid` for windows with edges.
    pub(crate) fn new(spec: &AssignerSpec, grid: Option<PaneGrid>) -> Result<Self> {
        match (grid, spec) {
            (Some(grid), _) => Ok(Self::Grid(grid)),
            (None, AssignerSpec::Session { gap_ms }) => Ok(Self::Session { gap_ms: *gap_ms }),
            (None, AssignerSpec::Global) => Ok(Self::Global),
            (None, _) => Err(malformed("its windows have no edges")),
        }
    }
}
