//! Where native sources and sinks come from.

use std::sync::Arc;

use sage_connectors::{BatchSink, BatchSource, SourceSplit};
use sage_frame::LayoutRegistry;
use sage_types::Result;

/// Opens the connectors that a graph names; injected, so that tests need no files.
pub trait ConnectorFactory: Send + Sync {
    /// The spec with what all instances of the source must agree on; asked for once, before the first of them is opened.
    ///
    /// # Errors
    /// Those of the connector.
    fn pin_source(&self, spec: &str) -> Result<String>;

    /// Refuses a source that could not go on in another process.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SOURCE`, and those of the connector.
    fn check_resumable(&self, spec: &str) -> Result<()> {
        let _ = spec;
        Ok(())
    }

    /// The reader of one instance.
    ///
    /// # Errors
    /// Those of the connector.
    fn open_source(
        &self,
        spec: &str,
        split: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSource>>;

    /// The writer of one instance.
    ///
    /// # Errors
    /// Those of the connector.
    fn open_sink(
        &self,
        spec: &str,
        part: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSink>>;

    /// The reader of one instance that goes on where an earlier process was; it is restored next.
    ///
    /// # Errors
    /// Those of the connector.
    fn resume_source(
        &self,
        spec: &str,
        split: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSource>> {
        self.open_source(spec, split, registry)
    }

    /// The writer of one instance that goes on behind what an earlier process wrote; it is restored next.
    ///
    /// # Errors
    /// Those of the connector.
    fn resume_sink(
        &self,
        spec: &str,
        part: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSink>> {
        self.open_sink(spec, part, registry)
    }
}

/// The connectors of the `sage-connectors` crate.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuiltinConnectors;

impl ConnectorFactory for BuiltinConnectors {
    fn pin_source(&self, spec: &str) -> Result<String> {
        sage_connectors::pin_source(spec)
    }

    fn check_resumable(&self, spec: &str) -> Result<()> {
        sage_connectors::check_resumable(spec)
    }

    fn open_source(
        &self,
        spec: &str,
        split: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSource>> {
        sage_connectors::open_source(spec, split, Arc::clone(registry))
    }

    fn open_sink(
        &self,
        spec: &str,
        part: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSink>> {
        sage_connectors::open_sink(spec, part, Arc::clone(registry))
    }

    fn resume_source(
        &self,
        spec: &str,
        split: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSource>> {
        sage_connectors::resume_source(spec, split, Arc::clone(registry))
    }

    fn resume_sink(
        &self,
        spec: &str,
        part: SourceSplit,
        registry: &Arc<LayoutRegistry>,
    ) -> Result<Box<dyn BatchSink>> {
        sage_connectors::resume_sink(spec, part, Arc::clone(registry))
    }
}
