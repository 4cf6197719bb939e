//! Columnar frames: layouts, the FlatBuffers envelope, partitioning by key group.
