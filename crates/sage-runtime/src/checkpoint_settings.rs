//! What a job is told about its checkpoints.

use sage_checkpoint::ChainLimits;
use sage_types::{ErrorCode, Result, SageError};
use serde_json::Value as Json;

/// What a job goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StartFrom {
    /// Nothing: it begins anew, whatever the directory has.
    None,
    /// The newest epoch of the directory that is whole; nothing when there is none.
    #[default]
    Latest,
    /// One epoch or savepoint.
    Path(String),
}

/// Where and when a job saves its state, and what it goes on from.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointSettings {
    /// The directory, of this job alone; none: nothing is written but the savepoints that are asked for.
    pub directory: Option<String>,
    /// From the beginning of one epoch to that of the next, in milliseconds; none: on demand only.
    pub interval_ms: Option<f64>,
    /// At least so long between the end of an epoch and the beginning of the next, in milliseconds.
    pub min_pause_ms: f64,
    /// How many epochs are kept.
    pub retained: u32,
    /// What the job goes on from.
    pub from: StartFrom,
    /// State of operators that are no longer there is left behind.
    pub allow_dropped: bool,
    /// When epochs are merged.
    pub chain_limits: ChainLimits,
}

const DEFAULT_RETAINED: u32 = 3;

impl CheckpointSettings {
    /// On demand only, going on from the newest epoch.
    #[must_use]
    pub fn new(directory: &str) -> Self {
        Self {
            directory: Some(directory.to_owned()),
            interval_ms: None,
            min_pause_ms: 0.0,
            retained: DEFAULT_RETAINED,
            from: StartFrom::Latest,
            allow_dropped: false,
            chain_limits: ChainLimits::default(),
        }
    }

    /// Nothing but savepoints, when they are asked for; beginning from nothing.
    #[must_use]
    pub fn savepoints_only() -> Self {
        Self {
            directory: None,
            from: StartFrom::None,
            ..Self::new("")
        }
    }

    /// `{"directory":"...","intervalMs":1000,"minPauseMs":0,"retained":3,"from":"latest","allowDropped":false}`; all but the first
    /// may be left away, `from` is `"none"`, `"latest"` or `{"path":"..."}`. Of a job without a directory
    /// `{"savepointsOnly":true,"from":"none","allowDropped":false}`.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` for anything else: what users say was checked before.
    pub fn from_json(json: &str) -> Result<Self> {
        let malformed = |why: &str| {
            SageError::new(
                ErrorCode::Internal,
                format!("malformed checkpoint settings: {why}"),
            )
            .with("settings", json)
        };
        let settings: Json =
            serde_json::from_str(json).map_err(|error| malformed("they are no JSON").caused_by(error))?;
        let number = |name: &str| match &settings[name] {
            Json::Null => Ok(None),
            value => match value.as_f64() {
                Some(number) if number >= 0.0 => Ok(Some(number)),
                _ => Err(malformed("a number is none").with("name", name)),
            },
        };
        let directory = settings["directory"].as_str().filter(|path| !path.is_empty());
        let retained = match &settings["retained"] {
            Json::Null => DEFAULT_RETAINED,
            value => value
                .as_u64()
                .and_then(|count| u32::try_from(count).ok())
                .filter(|&count| count > 0)
                .ok_or_else(|| malformed("they keep no epoch"))?,
        };
        let from = match &settings["from"] {
            Json::Null => StartFrom::Latest,
            Json::String(word) if word == "none" => StartFrom::None,
            Json::String(word) if word == "latest" => StartFrom::Latest,
            Json::Object(object) if object.contains_key("path") => match object["path"].as_str() {
                Some(path) => StartFrom::Path(path.to_owned()),
                None => return Err(malformed("the path is none")),
            },
            _ => return Err(malformed("they do not say what to go on from")),
        };
        let savepoints_only = settings["savepointsOnly"].as_bool() == Some(true);
        if directory.is_some() == savepoints_only {
            return Err(malformed("they have no directory, or one that is not used"));
        }
        if savepoints_only && from == StartFrom::Latest {
            return Err(malformed("without a directory nothing is the latest"));
        }
        Ok(Self {
            directory: directory.map(str::to_owned),
            interval_ms: number("intervalMs")?.filter(|&interval| interval > 0.0),
            min_pause_ms: number("minPauseMs")?.unwrap_or(0.0),
            retained,
            from,
            allow_dropped: settings["allowDropped"].as_bool() == Some(true),
            chain_limits: ChainLimits::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_directory_alone_when_read_then_epochs_are_begun_on_demand_and_the_newest_is_gone_on_from() {
        let settings = CheckpointSettings::from_json(r#"{"directory":"/c"}"#).unwrap();
        assert_eq!(settings, CheckpointSettings::new("/c"));
    }

    #[test]
    fn given_all_settings_when_read_then_each_arrives() {
        let settings = CheckpointSettings::from_json(
            r#"{"directory":"/c","intervalMs":250.5,"minPauseMs":10,"retained":7,"from":{"path":"/s"},"allowDropped":true}"#,
        )
        .unwrap();
        let expected = CheckpointSettings {
            directory: Some("/c".into()),
            interval_ms: Some(250.5),
            min_pause_ms: 10.0,
            retained: 7,
            from: StartFrom::Path("/s".into()),
            allow_dropped: true,
            chain_limits: ChainLimits::default(),
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn given_settings_for_savepoints_only_when_read_then_there_is_no_directory() {
        let none = CheckpointSettings::from_json(r#"{"savepointsOnly":true,"from":"none"}"#).unwrap();
        assert_eq!(none, CheckpointSettings::savepoints_only());
        let file = CheckpointSettings::from_json(r#"{"savepointsOnly":true,"from":{"path":"/s"}}"#).unwrap();
        assert_eq!((file.directory, file.from), (None, StartFrom::Path("/s".into())));
    }

    #[test]
    fn given_settings_that_make_no_sense_when_read_then_they_are_refused() {
        for json in [
            "",
            "{}",
            r#"{"directory":""}"#,
            r#"{"directory":"/c","retained":0}"#,
            r#"{"directory":"/c","intervalMs":-1}"#,
            r#"{"directory":"/c","from":"newest"}"#,
            r#"{"directory":"/c","from":{"path":1}}"#,
            r#"{"directory":"/c","savepointsOnly":true}"#,
            r#"{"savepointsOnly":true}"#,
            r#"{"savepointsOnly":true,"from":"latest"}"#,
        ] {
            let error = CheckpointSettings::from_json(json).unwrap_err();
            assert_eq!(error.code, ErrorCode::Internal, "{json}");
        }
    }
}
