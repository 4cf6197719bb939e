//! The epoch that a job goes on from.

use std::collections::BTreeSet;

use sage_checkpoint::{
    EntryReader, EntryWriter, ImagePart, PartKey, PartKind, PartPayload, RestoredEpoch, TaskImage,
};
use sage_connectors::SavedPosition;
use sage_types::{ErrorCode, KeyGroups, PlantedBug, Result, SageError};

use crate::checkpoint_metadata::{CheckpointMetadata, ids_of};
use crate::graph::{ExecutionGraph, TaskKind, TaskPlan};
use crate::handed_parts::HandedParts;
use crate::job_core::internal;
use crate::other_works::{other_works, other_works_error};

/// Kinds of [`RestoredState::read`].
const ABSENT: u8 = 0;
const OWN: u8 = 1;
const KEYED: u8 = 2;

/// The epoch that a job goes on from, known to fit its graph.
#[derive(Debug)]
pub(crate) struct RestoredState {
    epoch: RestoredEpoch,
    metadata: CheckpointMetadata,
    /// By task: it has nothing to do any more.
    finished: Box<[bool]>,
    /// Operators whose state is left behind, as those of their ids do something else now.
    left_behind: BTreeSet<String>,
}

impl RestoredState {
    /// # Errors
    /// `SAGE_CHECKPOINT_UNCLAIMED` for state of operators that are not there any more or do something else, `SAGE_CHECKPOINT_RESCALE` when it cannot be
    /// divided among the instances there are, `SAGE_CHECKPOINT_DAMAGED`.
    pub(crate) fn new(epoch: RestoredEpoch, graph: &ExecutionGraph, allow_dropped: bool) -> Result<Self> {
        let mut metadata = CheckpointMetadata::from_json(epoch.metadata())?;
        let others = other_works(&metadata, graph);
        if !allow_dropped {
            check_claimed(&epoch, graph)?;
            if !others.is_empty() {
                return Err(other_works_error(epoch.epoch, &others));
            }
        }
        metadata.operators.retain(|id, _| !others.contains_key(id));
        check_scale(&epoch, &metadata, graph)?;
        let mut finished: Box<[bool]> = graph
            .tasks
            .iter()
            .map(|task| metadata.has_finished(task))
            .collect();
        // A task that was not there then, in front of one that had finished, has nobody to give its records to.
        while let Some(edge) = graph.edges.iter().find(|edge| {
            let from = &graph.tasks[edge.from_task.index()];
            finished[edge.to_task.index()]
                && !finished[edge.from_task.index()]
                && edge.feedback.is_none()
                && !from.is_source
                && !metadata.knows(from)
        }) {
            finished[edge.from_task.index()] = true;
        }
        for edge in &graph.edges {
            if finished[edge.to_task.index()] && !finished[edge.from_task.index()] && edge.feedback.is_none()
            {
                // With as many instances it has only those edges that had ended.
                let (to, from) = (
                    &graph.tasks[edge.to_task.index()],
                    &graph.tasks[edge.from_task.index()],
                );
                let message = format!(
                    "instance {} of '{}' had ended in epoch {}, and would be given records of '{}' now: go on with as many instances as then",
                    to.instance, to.uid, epoch.epoch, from.uid
                );
                return Err(
                    SageError::new(ErrorCode::CheckpointRescale, message).with("operator", to.uid.clone())
                );
            }
        }
        Ok(Self {
            epoch,
            metadata,
            finished,
            left_behind: others.into_keys().collect(),
        })
    }

    pub(crate) const fn number(&self) -> u64 {
        self.epoch.epoch
    }

    /// Newer epochs that were damaged.
    pub(crate) fn skipped(&self) -> &[SageError] {
        self.epoch.skipped()
    }

    pub(crate) fn has_finished(&self, task: &TaskPlan) -> bool {
        self.finished.get(task.id.index()) == Some(&true)
    }

    fn part(&self, operator: &str, name: &str) -> Result<Vec<(PartKey, PartPayload)>> {
        if self.left_behind.contains(operator) {
            return Ok(Vec::new());
        }
        self.epoch.part(operator, name)
    }

    /// Whether all instances of an operator had come to their end; nothing when the job did not have it.
    pub(crate) fn has_ended(&self, operator: &str) -> Option<bool> {
        self.metadata.has_ended(operator)
    }

    /// The parts of one name of an operator: `u8 kind`, then for own parts `u32 count` and for each instance of then `u32 instance, u32
    /// parallelism, u32 length, bytes`, for keyed ones the entries of the key groups of the asking instance.
    ///
    /// # Errors
    /// Those of the store; `SAGE_CHECKPOINT_DAMAGED`.
    pub(crate) fn read(
        &self,
        operator: &str,
        name: &str,
        groups: &KeyGroups,
        instance: u32,
    ) -> Result<Vec<u8>> {
        let mut parts = self.part(operator, name)?;
        if PlantedBug::PartDroppedAtRescale.is_planted() {
            parts.retain(|(key, _)| key.parallelism == groups.parallelism() || key.instance == 0);
        }
        let Some((_, first)) = parts.first() else {
            return Ok(vec![ABSENT]);
        };
        if first.kind() == PartKind::Keyed {
            let mut read = vec![KEYED];
            read.extend(own_entries(
                parts.iter().map(|(_, payload)| payload),
                groups,
                instance,
            )?);
            return Ok(read);
        }
        let mut read = vec![OWN];
        let length = |length: usize| {
            u32::try_from(length).map_err(|_| internal("a part of a checkpoint is larger than 4 GiB"))
        };
        read.extend(length(parts.len())?.to_le_bytes());
        for (key, payload) in &parts {
            read.extend(key.instance.to_le_bytes());
            read.extend(key.parallelism.to_le_bytes());
            read.extend(length(payload.bytes().len())?.to_le_bytes());
            read.extend(payload.bytes());
        }
        Ok(read)
    }

    /// The own parts of all instances of then.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn own_parts(&self, operator: &str, name: &str) -> Result<Vec<SavedPosition>> {
        let parts = self.part(operator, name)?;
        check_kind(&parts, PartKind::Own)?;
        let positions = parts.into_iter().map(|(key, payload)| SavedPosition {
            instance: key.instance,
            parallelism: key.parallelism,
            bytes: payload.bytes().to_vec(),
        });
        Ok(positions.collect())
    }

    /// The own parts of a name, whatever the operator is.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn own_parts_named(&self, name: &str) -> Result<Vec<SavedPosition>> {
        let mut found = Vec::new();
        for (operator, metadata) in &self.metadata.operators {
            if metadata.parts.contains(name) {
                found.extend(self.own_parts(operator, name)?);
            }
        }
        Ok(found)
    }

    /// The names of parts that begin so.
    pub(crate) fn names_of_parts<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let parts = self
            .metadata
            .operators
            .values()
            .flat_map(|operator| &operator.parts);
        parts
            .map(String::as_str)
            .filter(move |name| name.starts_with(prefix))
    }

    /// The entries of the key groups of an instance; none when there is no such part.
    ///
    /// # Errors
    /// Those of the store; `SAGE_CHECKPOINT_DAMAGED`.
    pub(crate) fn keyed_part(
        &self,
        operator: &str,
        name: &str,
        groups: &KeyGroups,
        instance: u32,
    ) -> Result<Option<Vec<u8>>> {
        let parts = self.part(operator, name)?;
        if parts.is_empty() {
            return Ok(None);
        }
        check_kind(&parts, PartKind::Keyed)?;
        own_entries(parts.iter().map(|(_, payload)| payload), groups, instance).map(Some)
    }

    /// What a task that had finished left behind, for the next epochs. With another number of instances it hands on what it would have got:
    /// the entries of its key groups, and own parts of old instances as they were, so that one that begins again in another plan finds them.
    ///
    /// # Errors
    /// Those of the store; `SAGE_CHECKPOINT_DAMAGED`.
    pub(crate) fn left_by(&self, task: &TaskPlan) -> Result<HandedParts> {
        let groups = KeyGroups::new(self.metadata.key_groups, task.parallelism);
        let (mut own, mut inherited) = (TaskImage::new(), Vec::new());
        for id in ids_of(task) {
            let names = self.metadata.operators.get(id).map(|operator| &operator.parts);
            for name in names.into_iter().flatten() {
                let mut push = |kind, payload: &[u8]| {
                    own.push(&ImagePart {
                        operator: id,
                        name,
                        kind,
                        is_full: true,
                        payload,
                    })
                };
                let parts = self.part(id, name)?;
                let is_as_now = |key: &PartKey| key.parallelism == task.parallelism;
                let (keyed, of_instances): (Vec<_>, Vec<_>) = parts
                    .into_iter()
                    .partition(|(_, payload)| payload.kind() == PartKind::Keyed);
                if keyed.iter().any(|(key, _)| !is_as_now(key)) {
                    let payloads = keyed.iter().map(|(_, payload)| payload);
                    push(PartKind::Keyed, &own_entries(payloads, &groups, task.instance)?)?;
                } else if let Some((_, payload)) = keyed.iter().find(|(key, _)| key.instance == task.instance)
                {
                    push(PartKind::Keyed, payload.bytes())?;
                }
                for (key, payload) in of_instances {
                    if key.instance % task.parallelism.max(1) != task.instance {
                        continue;
                    }
                    if is_as_now(&key) {
                        push(PartKind::Own, payload.bytes())?;
                    } else {
                        inherited.push((key, payload));
                    }
                }
            }
        }
        Ok(HandedParts::new(own, inherited))
    }
}

/// # Errors
/// `SAGE_CHECKPOINT_DAMAGED` when another kind of operator has saved parts: their bytes mean something else.
fn check_kind(parts: &[(PartKey, PartPayload)], kind: PartKind) -> Result<()> {
    let Some((key, _)) = parts.iter().find(|(_, payload)| payload.kind() != kind) else {
        return Ok(());
    };
    let message = format!(
        "the part '{}' of '{}' in the checkpoint was saved by another kind of operator",
        key.name, key.operator
    );
    Err(SageError::new(ErrorCode::CheckpointDamaged, message).with("operator", key.operator.clone()))
}

fn own_entries<'a>(
    payloads: impl Iterator<Item = &'a PartPayload>,
    groups: &KeyGroups,
    instance: u32,
) -> Result<Vec<u8>> {
    let mut own = EntryWriter::new();
    for payload in payloads {
        for entry in EntryReader::new(payload.bytes()) {
            let entry = entry?;
            let group = u32::from(entry.key_group);
            if groups.instance_of_group(group) == instance
                || (PlantedBug::KeyGroupRestoredTwice.is_planted()
                    && groups.instance_of_group(group.saturating_sub(1)) == instance)
            {
                own.push(entry)?;
            }
        }
    }
    Ok(own.into_bytes())
}

fn check_claimed(epoch: &RestoredEpoch, graph: &ExecutionGraph) -> Result<()> {
    let known: BTreeSet<&str> = graph.tasks.iter().flat_map(ids_of).collect();
    let unclaimed: Vec<&str> = epoch
        .operators()
        .into_iter()
        .filter(|id| !known.contains(id))
        .collect();
    if unclaimed.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = unclaimed.iter().map(|id| format!("'{id}'")).collect();
    let message = format!(
        "epoch {} has state of operators that the pipeline does not have: {}",
        epoch.epoch,
        names.join(", ")
    );
    Err(SageError::new(ErrorCode::CheckpointUnclaimed, message).with("operators", names.join(", ")))
}

fn check_scale(epoch: &RestoredEpoch, metadata: &CheckpointMetadata, graph: &ExecutionGraph) -> Result<()> {
    let rescale = |message: String| Err(SageError::new(ErrorCode::CheckpointRescale, message));
    if metadata.key_groups != graph.key_groups {
        return rescale(format!(
            "epoch {} has {} key groups, the job {}",
            epoch.epoch, metadata.key_groups, graph.key_groups
        ));
    }
    for task in &graph.tasks {
        let knows_positions = task.is_source || matches!(task.kind, TaskKind::NativeSink { .. });
        for id in ids_of(task) {
            let Some(before) = metadata.operators.get(id) else {
                continue;
            };
            if before.parallelism != task.parallelism && !before.can_be_divided(knows_positions) {
                return rescale(format!(
                    "some instances of '{id}' had ended in epoch {}: it had {} instances, and cannot go on with {}",
                    epoch.epoch, before.parallelism, task.parallelism
                ));
            }
        }
    }
    Ok(())
}
