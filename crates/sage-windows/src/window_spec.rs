//! What windows a stream is divided into, as JavaScript describes it.

use sage_state::AggregateSpec;
use sage_types::{ErrorCode, Result, SageError};
use serde::Deserialize;

use crate::MAX_TIME_MS;
use crate::pane_grid::PaneGrid;
use crate::zone_table::ZoneTable;

/// A row is put into at most so many windows one by one.
const MAX_WINDOWS_OF_ROW: f64 = 65_536.0;
/// Windows of elements have at most so many, and are at most so far apart.
const MAX_ELEMENTS: u32 = i32::MAX as u32;

/// The windows of an operator. Times and durations are in milliseconds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowSpec {
    /// Whether batches have keys; else all rows have the same.
    pub keyed: bool,
    /// Which rows belong together.
    pub assigner: AssignerSpec,
    /// When results are given.
    #[serde(default)]
    pub trigger: TriggerSpec,
    /// What later results of a window are made of.
    #[serde(default)]
    pub accumulation: Accumulation,
    /// How long windows take rows after their end.
    #[serde(default)]
    pub allowed_lateness_ms: f64,
    /// What the time of a row is.
    pub time: TimeKind,
    /// Built-in aggregators, as [`AggregateSpec::list_from_json`] reads them; none when JavaScript keeps the accumulators.
    #[serde(default)]
    pub aggregates: Option<Vec<serde_json::Value>>,
    /// Whether JavaScript keeps the elements of windows, and so makes results of several panes itself.
    #[serde(default)]
    pub elements: bool,
}

/// Which rows belong together.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum AssignerSpec {
    /// Windows of one size, one after the other.
    Tumbling {
        /// Length of a window.
        size_ms: f64,
        /// Where one of them starts.
        #[serde(default)]
        offset_ms: f64,
        /// For windows of whole days in local time.
        #[serde(default)]
        zone: Option<Vec<ZoneOffset>>,
    },
    /// Windows of one size that start at equal distances; with gaps between them when the distance is larger.
    Sliding {
        /// Length of a window.
        size_ms: f64,
        /// From the start of one to the start of the next.
        slide_ms: f64,
        /// Where one of them starts.
        #[serde(default)]
        offset_ms: f64,
        /// For windows of whole days in local time.
        #[serde(default)]
        zone: Option<Vec<ZoneOffset>>,
    },
    /// Rows with less than a gap between them.
    Session {
        /// So long after its last row a session ends.
        gap_ms: f64,
    },
    /// All rows of a key.
    Global,
    /// At each `slide` elements of a key its last `size`.
    Count {
        /// Elements of a window.
        size: u32,
        /// Elements from the end of one window to the end of the next.
        slide: u32,
    },
}

/// An entry of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ZoneOffset {
    /// From when it holds.
    pub from_ms: f64,
    /// Local time minus UTC.
    pub offset_ms: f64,
}

/// When results are given.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum TriggerSpec {
    /// At the end of the window, and for each row that comes later.
    #[default]
    Time,
    /// After each so many elements of a window.
    Count {
        /// Elements.
        every: u32,
    },
    /// As [`TriggerSpec::Time`], and before.
    Early {
        /// When, before the end.
        early: EarlySpec,
    },
    /// So long after the first element that no result has shown.
    ProcessingTime {
        /// How long, by the clock.
        every_ms: f64,
    },
    /// When JavaScript says so: it is told of windows only.
    Custom,
}

/// When a window gives results before its end.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum EarlySpec {
    /// After each so many elements.
    Count {
        /// Elements.
        every: u32,
    },
    /// So long after the first element that no result has shown.
    ProcessingTime {
        /// How long, by the clock.
        every_ms: f64,
    },
}

/// What later results of a window are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Accumulation {
    /// Of all elements so far.
    #[default]
    Accumulating,
    /// Of the elements since the result before.
    Discarding,
}

/// What the time of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimeKind {
    /// A column of the batch says it.
    Event,
    /// When it came.
    Processing,
}

impl WindowSpec {
    /// Reads and checks a spec.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when it is malformed, a number is out of range, or two parts do not go together.
    pub fn from_json(json: &str) -> Result<Self> {
        let spec: Self = serde_json::from_str(json).map_err(|error| {
            malformed("it is not what is expected")
                .caused_by(error)
                .with("spec", json)
        })?;
        spec.check().map_err(|error| error.with("spec", json))?;
        Ok(spec)
    }

    /// The built-in aggregators; none when JavaScript keeps the accumulators.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when one of them is none.
    pub fn aggregate_specs(&self) -> Result<Option<Vec<AggregateSpec>>> {
        let list = self.aggregates.clone().map(serde_json::Value::Array);
        list.map(|list| AggregateSpec::list_from_json(&list.to_string()))
            .transpose()
    }

    /// Whether a row is added to one pane only, whatever the number of its windows: results of later windows are made of the
    /// panes that they share.
    pub(crate) fn has_panes(&self) -> bool {
        self.trigger == TriggerSpec::Time
            && self.accumulation == Accumulation::Accumulating
            && matches!(
                self.assigner,
                AssignerSpec::Tumbling { .. } | AssignerSpec::Sliding { .. } | AssignerSpec::Count { .. }
            )
    }

    /// The panes of windows with edges; none for others.
    pub(crate) fn grid(&self) -> Result<Option<PaneGrid>> {
        let (size, slide, offset, zone) = match &self.assigner {
            AssignerSpec::Tumbling {
                size_ms,
                offset_ms,
                zone,
            } => (*size_ms, *size_ms, *offset_ms, zone),
            AssignerSpec::Sliding {
                size_ms,
                slide_ms,
                offset_ms,
                zone,
            } => (*size_ms, *slide_ms, *offset_ms, zone),
            AssignerSpec::Count { size, slide } => {
                let (size, slide) = (f64::from(*size), f64::from(*slide));
                // The first window ends with element `slide`.
                return Ok(Some(PaneGrid::new(size, slide, slide - size, None)));
            }
            AssignerSpec::Session { .. } | AssignerSpec::Global => return Ok(None),
        };
        let zone = zone.as_deref().map(ZoneTable::new).transpose()?;
        Ok(Some(PaneGrid::new(size, slide, offset, zone)))
    }

    /// What state of these windows depends on, in words: a zone may have other offsets later, and a trigger another count.
    pub(crate) fn signature(&self, book: &str) -> String {
        let assigner = match &self.assigner {
            AssignerSpec::Tumbling {
                size_ms,
                offset_ms,
                zone,
            } => format!("{size_ms} ms from {offset_ms}{}", zone_word(zone.as_ref())),
            AssignerSpec::Sliding {
                size_ms,
                slide_ms,
                offset_ms,
                zone,
            } => format!(
                "{size_ms} ms each {slide_ms} from {offset_ms}{}",
                zone_word(zone.as_ref())
            ),
            AssignerSpec::Session { .. } => "session".to_owned(),
            AssignerSpec::Global => "global".to_owned(),
            AssignerSpec::Count { size, slide } => format!("{size} elements each {slide}"),
        };
        let time = match self.time {
            TimeKind::Event => "event time",
            TimeKind::Processing => "processing time",
        };
        let results = match &self.aggregates {
            Some(list) => serde_json::Value::Array(list.clone()).to_string(),
            None => "program".to_owned(),
        };
        let keyed = if self.keyed { "keyed" } else { "all" };
        format!("{book}, {keyed}, {time}, {assigner}, {results}")
    }

    fn check(&self) -> Result<()> {
        duration("allowedLatenessMs", self.allowed_lateness_ms, 0.0)?;
        match &self.assigner {
            AssignerSpec::Tumbling {
                size_ms,
                offset_ms,
                zone,
            } => self.check_edges(*size_ms, *size_ms, *offset_ms, zone.as_deref())?,
            AssignerSpec::Sliding {
                size_ms,
                slide_ms,
                offset_ms,
                zone,
            } => self.check_edges(*size_ms, *slide_ms, *offset_ms, zone.as_deref())?,
            AssignerSpec::Session { gap_ms } => duration("gapMs", *gap_ms, 1.0)?,
            AssignerSpec::Global => {}
            AssignerSpec::Count { size, slide } => {
                elements("size", *size)?;
                elements("slide", *slide)?;
                if !self.has_panes() || self.allowed_lateness_ms != 0.0 {
                    return Err(malformed(
                        "count windows have no trigger, accumulation or lateness of their own",
                    ));
                }
            }
        }
        self.check_trigger()?;
        if self.aggregate_specs()?.is_some() && (self.elements || self.trigger == TriggerSpec::Custom) {
            return Err(malformed(
                "with a custom trigger, or where elements are kept, JavaScript has the accumulators",
            ));
        }
        Ok(())
    }

    fn check_trigger(&self) -> Result<()> {
        match self.trigger {
            TriggerSpec::Time | TriggerSpec::Custom => Ok(()),
            TriggerSpec::Count { every }
            | TriggerSpec::Early {
                early: EarlySpec::Count { every },
            } => elements("every", every),
            TriggerSpec::ProcessingTime { every_ms }
            | TriggerSpec::Early {
                early: EarlySpec::ProcessingTime { every_ms },
            } => duration("everyMs", every_ms, 1.0),
        }
    }

    fn check_edges(&self, size: f64, slide: f64, offset: f64, zone: Option<&[ZoneOffset]>) -> Result<()> {
        const DAY_MS: f64 = 86_400_000.0;
        duration("sizeMs", size, 1.0)?;
        duration("slideMs", slide, 1.0)?;
        duration("offsetMs", offset.abs(), 0.0)?;
        if let Some(offsets) = zone {
            ZoneTable::new(offsets)?;
            if size % DAY_MS != 0.0 || slide % DAY_MS != 0.0 {
                return Err(malformed("windows in local time are of whole days"));
            }
        }
        let one_by_one = !self.has_panes() || self.allowed_lateness_ms > 0.0;
        if one_by_one && size / slide > MAX_WINDOWS_OF_ROW {
            return Err(malformed("a row would be in more than 65,536 windows")
                .with("sizeMs", size)
                .with("slideMs", slide));
        }
        Ok(())
    }
}

const fn zone_word(zone: Option<&Vec<ZoneOffset>>) -> &'static str {
    if zone.is_some() { ", local time" } else { "" }
}

fn duration(name: &str, ms: f64, least: f64) -> Result<()> {
    if ms >= least && ms <= MAX_TIME_MS {
        return Ok(());
    }
    Err(malformed(&format!(
        "{name} is {ms}, but must be from {least} to {MAX_TIME_MS}"
    )))
}

fn elements(name: &str, number: u32) -> Result<()> {
    if (1..=MAX_ELEMENTS).contains(&number) {
        return Ok(());
    }
    Err(malformed(&format!(
        "{name} is {number}, but must be from 1 to {MAX_ELEMENTS}"
    )))
}

/// An error of a window spec.
pub(crate) fn malformed(why: &str) -> SageError {
    SageError::new(ErrorCode::FormatGraph, format!("malformed window: {why}"))
}
