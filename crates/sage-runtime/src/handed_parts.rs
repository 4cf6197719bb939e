//! What a task hands over for an epoch, and whose it is.

use sage_checkpoint::{ImagePart, PartKey, PartKind, PartPayload, TaskImage};

use crate::graph::TaskPlan;

/// The parts that a task hands over for one epoch, or leaves behind for all later ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct HandedParts {
    /// Those of the task.
    own: TaskImage,
    /// Own parts of instances that had finished when there were more or fewer of them: nobody else can read them, so that they stay what they
    /// were. Each is with one task.
    inherited: Vec<(PartKey, PartPayload)>,
}

/// One of them, under the key that it has in the epoch.
pub(crate) struct HandedPart<'a> {
    pub(crate) key: PartKey,
    pub(crate) kind: PartKind,
    pub(crate) is_full: bool,
    pub(crate) payload: &'a [u8],
}

impl HandedParts {
    pub(crate) const fn new(own: TaskImage, inherited: Vec<(PartKey, PartPayload)>) -> Self {
        Self { own, inherited }
    }

    /// Whether all of them stand alone.
    pub(crate) fn are_whole(&self) -> bool {
        self.own.parts().all(|part| part.is_full)
    }

    /// The operator and the name of each.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self
            .own
            .parts()
            .map(|ImagePart { operator, name, .. }| (operator, name));
        let inherited = self.inherited.iter();
        own.chain(inherited.map(|(key, _)| (key.operator.as_str(), key.name.as_str())))
    }

    /// All of them; `task` is whose they are.
    pub(crate) fn of<'a>(&'a self, task: &'a TaskPlan) -> impl Iterator<Item = HandedPart<'a>> {
        let own = self.own.parts().map(|part| HandedPart {
            key: PartKey {
                operator: part.operator.to_owned(),
                instance: task.instance,
                parallelism: task.parallelism,
                name: part.name.to_owned(),
            },
            kind: part.kind,
            is_full: part.is_full,
            payload: part.payload,
        });
        let inherited = self.inherited.iter().map(|(key, payload)| HandedPart {
            key: key.clone(),
            kind: payload.kind(),
            is_full: true,
            payload: payload.bytes(),
        });
        own.chain(inherited)
    }
}

impl From<TaskImage> for HandedParts {
    fn from(own: TaskImage) -> Self {
        Self::new(own, Vec::new())
    }
}
