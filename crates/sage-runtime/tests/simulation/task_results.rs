//! What a task has given, written and added up.

use sage_frame::FrameMeta;
use sage_runtime::JobCore;

use super::scenario::Work;
use super::sim_task::SimTask;

impl SimTask {
    /// Where it stands, for whoever looks into one seed.
    pub fn describe(&self, job: &JobCore) -> String {
        let counts = &job.metrics().tasks[self.id.index()];
        let sums = self
            .results(job)
            .map(|keys| keys.iter().map(|&(_, count, _)| count).sum::<i64>());
        let files: u64 = self.files.iter().map(|file| file.records).sum();
        let finished = if counts.finished { "finished" } else { "runs" };
        format!(
            "{} {:?} {finished} in {} out {} splits {:?} sums {sums:?} calls {} written {files}",
            self.id,
            self.work,
            counts.records_in,
            counts.records_out,
            self.splits,
            self.calls.len()
        )
    }

    /// Whether it has given, written or added up anything.
    pub fn has_left_something(&self) -> bool {
        let has_keys = self
            .sums
            .as_ref()
            .is_some_and(|sums| sums.keys().slot_count() > 0);
        has_keys
            || !self.table.totals.is_empty()
            || !self.files.is_empty()
            || self.splits.iter().any(|&(_, next, _)| next > 0)
    }

    /// Key, count and sum of each of its keys, if it adds up.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "small whole numbers"
    )]
    pub fn results(&self, job: &JobCore) -> Option<Vec<(i64, i64, i64)>> {
        if self.work == Work::Table {
            let totals = self.table.totals.iter();
            let result = |(&key, &(count, sum)): (&u64, &(u64, u64))| {
                (f64::from_bits(key) as i64, count as i64, sum as i64)
            };
            return Some(totals.map(result).collect());
        }
        let sums = self.sums.as_ref()?;
        let mut results = Vec::new();
        let mut slot = Some(0);
        while let Some(from) = slot {
            let Some(drained) = sums
                .drain(from, 1000, job.registry(), FrameMeta::default())
                .unwrap()
            else {
                break;
            };
            let view = drained.frame.view(job.registry()).unwrap();
            let columns = records_of_results(&view);
            results.extend(columns);
            slot = drained.next_slot;
        }
        Some(results)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
fn records_of_results(view: &sage_frame::BatchView<'_>) -> Vec<(i64, i64, i64)> {
    use sage_frame::ColumnData;
    let numbers = |column: &sage_frame::Column<'_>| match column.data {
        ColumnData::F64(values) => values.to_vec(),
        _ => panic!("a result is no number"),
    };
    let layout = view.layout();
    let keys = numbers(&view.key().unwrap());
    let children = &layout.nodes()[layout.row_node()].children;
    let counts = numbers(&view.node(children[0]).unwrap());
    let sums = numbers(&view.node(children[1]).unwrap());
    (0..view.rows())
        .map(|row| (keys[row] as i64, counts[row] as i64, sums[row] as i64))
        .collect()
}
