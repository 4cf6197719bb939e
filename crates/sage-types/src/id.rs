//! Small integers that name the parts of a job, one type each so that they cannot be mixed up.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index into a dense table.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<u32> for $name {
            fn from(raw: u32) -> Self {
                Self(raw)
            }
        }

        impl From<$name> for u32 {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// One submitted job of this process.
    JobId,
    /// One parallel instance of a stage.
    TaskId,
    /// A group of fused operators that run as one function.
    StageId,
    /// An operator of the logical plan.
    OperatorId,
    /// One physical edge: from one task to one task.
    EdgeId,
    /// A layout of a job's registry; dense from 0.
    LayoutId,
    /// A JavaScript isolate of a job: 0 is the main thread's.
    IsolateId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_as_its_number_and_orders_by_it() {
        assert_eq!(TaskId(7).to_string(), "7");
        assert_eq!(format!("{:>3}", EdgeId(4)), "  4");
        assert!(StageId(1) < StageId(2));
        assert_eq!(LayoutId::from(3).index(), 3);
    }
}
