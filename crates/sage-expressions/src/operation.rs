//! What an expression does with its operands.

use crate::value::Kind;

/// Declares the operations with the names that JavaScript knows them by.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// One operation; `docs/guide/expressions.md` says what each does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// The operation of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Some(match name {
                    $($text => Self::$name,)*
                    _ => return None,
                })
            }
        }
    };
}

operations! {
    /// Sum.
    Add = "add",
    /// Difference.
    Sub = "sub",
    /// Product.
    Mul = "mul",
    /// Quotient.
    Div = "div",
    /// Remainder with the sign of the first.
    Mod = "mod",
    /// The other sign.
    Neg = "neg",
    /// Without sign.
    Abs = "abs",
    /// Whole number not above.
    Floor = "floor",
    /// Whole number not below.
    Ceil = "ceil",
    /// Nearest whole number, the larger of two.
    Round = "round",
    /// Equal.
    Eq = "eq",
    /// Not equal.
    Ne = "ne",
    /// Greater.
    Gt = "gt",
    /// Greater or equal.
    Ge = "ge",
    /// Less.
    Lt = "lt",
    /// Less or equal.
    Le = "le",
    /// One of several.
    In = "in",
    /// From one to another.
    Between = "between",
    /// Both.
    And = "and",
    /// One of two.
    Or = "or",
    /// Opposite.
    Not = "not",
    /// Whether a record passes.
    Filter = "filter",
    /// No value.
    IsNull = "isNull",
    /// First value.
    Coalesce = "coalesce",
    /// One or the other.
    Cond = "cond",
    /// Lower case.
    Lower = "lower",
    /// Upper case.
    Upper = "upper",
    /// Without white space around.
    Trim = "trim",
    /// UTF-16 code units.
    Length = "length",
    /// Joined.
    Concat = "concat",
    /// Begins with.
    StartsWith = "startsWith",
    /// Ends with.
    EndsWith = "endsWith",
    /// Has as a part.
    Contains = "contains",
    /// A part by places.
    Slice = "slice",
    /// With parts replaced.
    Replace = "replace",
    /// Year.
    Year = "year",
    /// Month, 1 to 12.
    Month = "month",
    /// Day of the month.
    Day = "day",
    /// Hour.
    Hour = "hour",
    /// Minute.
    Minute = "minute",
    /// Second.
    Second = "second",
    /// Day of the week, 0 for Sunday.
    Weekday = "weekday",
    /// Milliseconds since 1970.
    EpochMs = "epochMs",
    /// Beginning of a unit.
    Truncate = "truncate",
    /// A number of something.
    ToNumber = "toNumber",
    /// A text of something.
    ToText = "toText",
    /// A boolean of something.
    ToBoolean = "toBoolean",
    /// A date of something.
    ToDate = "toDate",
}

/// What an operand has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperandKind {
    Of(Kind),
    /// Of any kind that can be compared, and of that of the others.
    Comparable,
    Any,
}

impl Operation {
    /// What the operand at this place has to be.
    pub(crate) const fn operand(self, place: usize) -> OperandKind {
        use OperandKind::{Any, Comparable, Of};
        match self {
            Self::Add
            | Self::Sub
            | Self::Mul
            | Self::Div
            | Self::Mod
            | Self::Neg
            | Self::Abs
            | Self::Floor
            | Self::Ceil
            | Self::Round => Of(Kind::Number),
            Self::Eq | Self::Ne | Self::Gt | Self::Ge | Self::Lt | Self::Le | Self::In | Self::Between => {
                Comparable
            }
            Self::And | Self::Or | Self::Not | Self::Filter => Of(Kind::Boolean),
            Self::Cond => {
                if place == 0 {
                    Of(Kind::Boolean)
                } else {
                    Any
                }
            }
            Self::IsNull
            | Self::Coalesce
            | Self::ToNumber
            | Self::ToText
            | Self::ToBoolean
            | Self::ToDate => Any,
            Self::Slice if place > 0 => Of(Kind::Number),
            Self::Lower
            | Self::Upper
            | Self::Trim
            | Self::Length
            | Self::Concat
            | Self::StartsWith
            | Self::EndsWith
            | Self::Contains
            | Self::Slice
            | Self::Replace => Of(Kind::Text),
            Self::Truncate if place > 0 => Of(Kind::Text),
            Self::Year
            | Self::Month
            | Self::Day
            | Self::Hour
            | Self::Minute
            | Self::Second
            | Self::Weekday
            | Self::EpochMs
            | Self::Truncate => Of(Kind::Date),
        }
    }

    /// Whether it is null when an operand is.
    pub(crate) const fn is_strict(self) -> bool {
        !matches!(
            self,
            Self::Between | Self::And | Self::Or | Self::Filter | Self::IsNull | Self::Coalesce | Self::Cond
        )
    }
}
