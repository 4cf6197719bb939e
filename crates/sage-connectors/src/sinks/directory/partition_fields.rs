//! Which directory each record goes to.

use std::collections::HashMap;
use std::sync::Arc;

use sage_frame::{
    BatchView, ColumnData, Frame, FrameMeta, Layout, LayoutRegistry, Node, partition, presence,
};
use sage_types::{ErrorCode, LayoutId, Result, SageError};

use crate::columns::{FrameMaker, TextColumn};
use crate::formats::json::{JsonMember, json_members, one_line};
use crate::sinks::directory::field_values::{FieldValues, Unfit, json_text};
use crate::sinks::directory::hive_name::push_directory;
use crate::sinks::directory::without_fields::WithoutFields;

/// The fields that records are divided by.
#[derive(Debug)]
pub(crate) struct PartitionFields {
    names: Vec<String>,
    /// They stay in the records.
    keeps: bool,
    registry: Arc<LayoutRegistry>,
    frames: FrameMaker,
    /// The last layout that came, and what is left of it.
    last: Option<(Arc<Layout>, WithoutFields, LayoutId)>,
    /// Records before this batch, for messages.
    records: u64,
}

/// The records of a batch that go to one directory.
pub(crate) struct Partition {
    /// Relative: `country=NL/day=1`.
    pub(crate) directory: Arc<str>,
    pub(crate) rows: Frame,
}

impl PartitionFields {
    pub(crate) fn new(names: Vec<String>, keeps: bool) -> Self {
        let registry = Arc::new(LayoutRegistry::new());
        Self {
            names,
            keeps,
            frames: FrameMaker::new(Arc::clone(&registry)),
            registry,
            last: None,
            records: 0,
        }
    }

    /// Divides a batch; records of one directory stay in their order.
    ///
    /// # Errors
    /// `SAGE_FORMAT_RECORD` when a record is no object, or a value cannot name a directory; `SAGE_LIMIT_*`.
    pub(crate) fn divide(&mut self, batch: &BatchView<'_>) -> Result<Vec<Partition>> {
        let row = batch.layout().row_node();
        let divided = match (&batch.layout().row, batch.node(row)) {
            (Node::Record { .. }, Some(column)) => {
                if let Some(row) = (0..batch.rows()).find(|&row| column.presence_of(row) != presence::VALUE) {
                    return Err(self.no_object(row));
                }
                self.divide_columns(batch)
            }
            (_, Some(column)) => match column.data {
                ColumnData::Json(_) => self.divide_json(batch),
                _ => Err(self.no_object(0)),
            },
            _ => Err(self.no_object(0)),
        };
        self.records += batch.rows() as u64;
        divided
    }

    fn divide_columns(&mut self, batch: &BatchView<'_>) -> Result<Vec<Partition>> {
        let layout = batch.layout();
        let columns: Vec<FieldValues<'_>> = self
            .names
            .iter()
            .map(|name| FieldValues::of(batch, layout.field(layout.row_node(), name)))
            .collect();
        let mut targets = Targets::default();
        for row in 0..batch.rows() {
            targets.begin();
            for (name, column) in self.names.iter().zip(&columns) {
                let value = column.text(row).map_err(|unfit| self.unfit(row, name, unfit))?;
                targets.push(name, value.as_deref());
            }
            targets.end();
        }
        if self.keeps {
            return targets.split(batch);
        }
        let (rest, id) = self.without(layout)?;
        targets.split(&rest.of(batch, id)?)
    }

    fn without(&mut self, layout: &Arc<Layout>) -> Result<(&WithoutFields, LayoutId)> {
        let is_last = self
            .last
            .as_ref()
            .is_some_and(|(last, ..)| Arc::ptr_eq(last, layout));
        if !is_last {
            let rest = WithoutFields::new(layout, &self.names);
            let id = self.registry.intern_layout(Arc::clone(rest.layout()))?;
            self.last = Some((Arc::clone(layout), rest, id));
        }
        match &self.last {
            Some((_, rest, id)) => Ok((rest, *id)),
            None => Err(SageError::new(ErrorCode::Internal, "a layout was forgotten")),
        }
    }

    /// Records that came as JSON texts, because they have no shape in common.
    fn divide_json(&mut self, batch: &BatchView<'_>) -> Result<Vec<Partition>> {
        let column = batch.node(batch.layout().row_node());
        let Some(ColumnData::Json(texts)) = column.map(|column| column.data) else {
            return Err(self.no_object(0));
        };
        let texts = texts.wtf8();
        let mut targets = Targets::default();
        let mut rest = TextColumn::with_fillers(0);
        let mut line = Vec::new();
        for row in 0..batch.rows() {
            if column.is_some_and(|column| column.presence_of(row) != presence::VALUE) {
                return Err(self.no_object(row));
            }
            one_line(texts.row(row), &mut line);
            let members = json_members(&line)
                .ok()
                .flatten()
                .ok_or_else(|| self.no_object(row))?;
            targets.begin();
            for name in &self.names {
                // The last of several counts, as for JSON.parse.
                let member = members.iter().rfind(|member| member.name == name.as_bytes());
                let value = member.map_or(Ok(None), |member| json_text(member.value));
                let value = value.map_err(|unfit| self.unfit(row, name, unfit))?;
                targets.push(name, value.as_deref());
            }
            targets.end();
            if !self.keeps {
                rest.push_wtf8(&self.object_without(&members));
            }
        }
        if self.keeps {
            return targets.split(batch);
        }
        let buffers = vec![bytemuck::cast_slice(rest.ends()), rest.bytes()];
        let row = Node::Leaf {
            kind: sage_frame::LeafKind::Json,
            optional: false,
        };
        let frame = self
            .frames
            .make(row, batch.rows(), buffers, vec![rest.encoding()])?;
        targets.split(&frame.view(&self.registry)?)
    }

    fn object_without(&self, members: &[JsonMember<'_>]) -> Vec<u8> {
        let mut object = vec![b'{'];
        let is_kept =
            |member: &&JsonMember<'_>| !self.names.iter().any(|name| member.name == name.as_bytes());
        for member in members.iter().filter(is_kept) {
            if object.len() > 1 {
                object.push(b',');
            }
            object.extend_from_slice(member.text);
        }
        object.push(b'}');
        object
    }

    #[cold]
    fn no_object(&self, row: usize) -> SageError {
        self.error(
            row,
            &format!(
                "is no object, so that it has no field {}; filter such records out",
                self.names.join(", ")
            ),
        )
    }

    #[cold]
    fn unfit(&self, row: usize, name: &str, what: Unfit) -> SageError {
        self.error(row, &format!("has a field {name} that {what}"))
            .with("field", name)
    }

    fn error(&self, row: usize, what: &str) -> SageError {
        let record = self.records + row as u64 + 1;
        SageError::new(
            ErrorCode::FormatRecord,
            format!("cannot find the directory of a record: record {record} {what}"),
        )
        .with("record", record)
    }
}

/// The directory of each row of a batch, as numbers.
#[derive(Default)]
struct Targets {
    directories: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    of_rows: Vec<u32>,
    path: String,
}

impl Targets {
    fn begin(&mut self) {
        self.path.clear();
    }

    fn push(&mut self, name: &str, value: Option<&str>) {
        if !self.path.is_empty() {
            self.path.push('/');
        }
        push_directory(name, value, &mut self.path);
    }

    fn end(&mut self) {
        let number = if let Some(&number) = self.numbers.get(self.path.as_str()) {
            number
        } else {
            let number = u32::try_from(self.directories.len()).unwrap_or(u32::MAX);
            let directory: Arc<str> = self.path.as_str().into();
            self.directories.push(Arc::clone(&directory));
            self.numbers.insert(directory, number);
            number
        };
        self.of_rows.push(number);
    }

    fn split(self, batch: &BatchView<'_>) -> Result<Vec<Partition>> {
        let parts = self.directories.len();
        let frames = partition::to_targets(batch, &self.of_rows, parts, FrameMeta::default())?;
        let partitions = self.directories.into_iter().zip(frames);
        let partition = |(directory, rows): (Arc<str>, Option<Frame>)| {
            Some(Partition {
                directory,
                rows: rows?,
            })
        };
        Ok(partitions.filter_map(partition).collect())
    }
}
