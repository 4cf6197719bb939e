//! Jobs, tasks, the dispatcher loop, native tasks and the metrics registry.
