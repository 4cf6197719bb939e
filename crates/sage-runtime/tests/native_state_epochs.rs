//! Native aggregates and windows that are killed behind epochs at random moments, and go on with as many instances as it happens: what
//! they give is what they give when nothing happens.

#![allow(clippy::unwrap_used, reason = "a test may be short")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sage_checkpoint::testing::SimulatedFiles;
use sage_checkpoint::{Files, ImagePart, PartKind, TaskImage, inspect};
use sage_frame::BatchView;
use sage_runtime::{
    CheckpointSettings, ExecutionGraph, Isolate, JobCore, JobState, Next, Partition, Take, TaskKind,
};
use sage_types::{ErrorCode, ManualClock, SageError, TaskId};
use support::plans::Choices;
use support::{Exchange, Stage, TestConnectors, graph, job_with_checkpoints};

const PATIENCE: Duration = Duration::from_secs(30);
const SOURCE: usize = 0;
const STATE: usize = 1;
const COLLECTOR: usize = 2;
/// Event times may be out of order by less than this.
const DISORDER_MS: u32 = 20;
const KEYS: u32 = 11;

const AGGREGATE: &str = r#"{"names":["n","sum"],"aggregators":[{"kind":"count"},{"kind":"sum","input":0}],"keyed":true,"node":1}"#;

fn windows(assigner: &str, more: &str) -> String {
    let aggregates = r#"[{"kind":"count"},{"kind":"sum","input":0}]"#;
    let spec =
        format!(r#"{{"keyed":true,"time":"event","assigner":{assigner},"aggregates":{aggregates}{more}}}"#);
    format!(r#"{{"names":["n","sum"],"keyed":true,"node":1,"windows":{spec}}}"#)
}

/// Of which results do not depend on the order in which two sources are read.
fn unordered() -> Vec<String> {
    vec![
        AGGREGATE.to_owned(),
        windows(r#"{"kind":"tumbling","sizeMs":50}"#, ""),
        windows(r#"{"kind":"sliding","sizeMs":60,"slideMs":15}"#, ""),
        // So many panes that they are kept by key.
        windows(r#"{"kind":"sliding","sizeMs":400,"slideMs":10}"#, ""),
        windows(r#"{"kind":"session","gapMs":25}"#, ""),
    ]
}

fn ordered() -> Vec<String> {
    vec![
        windows(r#"{"kind":"tumbling","sizeMs":30}"#, r#","allowedLatenessMs":15"#),
        windows(r#"{"kind":"count","size":5,"slide":2}"#, ""),
        windows(
            r#"{"kind":"tumbling","sizeMs":100}"#,
            r#","trigger":{"kind":"early","early":{"kind":"count","every":3}},"accumulation":"discarding""#,
        ),
    ]
}

#[derive(Debug, Clone)]
struct Case {
    spec: String,
    sources: usize,
    records: u32,
    batch_rows: u32,
    /// Whether some rows come so late that their window has closed.
    late: bool,
    /// Whether sources wait for each epoch, so that there are many of them, on top of each other.
    paced: bool,
    /// Instances of each run but the last, which is killed, and of the last.
    parallelism: Vec<usize>,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let spec = prop_oneof![
        (prop::sample::select(unordered()), 1_usize..=2, any::<bool>()),
        (prop::sample::select(ordered()), Just(1), any::<bool>()),
    ];
    let spec = (spec, prop::bool::weighted(0.2));
    let parallelism = prop::collection::vec(1_usize..=3, 2..5);
    (spec, 0_u32..400, 1_u32..12, parallelism, any::<u64>()).prop_map(
        |(((spec, sources, late), paced), records, batch_rows, parallelism, seed)| Case {
            spec,
            sources,
            // Each of its steps waits for the disk.
            records: if paced { records / 4 } else { records },
            batch_rows,
            late: late && sources == 1,
            paced,
            parallelism,
            seed,
        },
    )
}

impl Case {
    fn graph(&self, parallelism: usize) -> ExecutionGraph {
        let kind = TaskKind::NativeAggregate {
            spec: self.spec.clone(),
        };
        let state = Stage {
            kinds: vec![kind; parallelism],
            is_source: false,
            dormant: 0,
        };
        let sources = vec![0; self.sources];
        let mut graph = graph(
            &[Stage::js_source(&sources), state, Stage::js(&[0])],
            &[
                Exchange::new(SOURCE, STATE, Partition::Hash),
                Exchange::new(STATE, COLLECTOR, Partition::Rebalance),
            ],
        );
        for task in &mut graph.tasks {
            if matches!(task.kind, TaskKind::NativeAggregate { .. }) {
                task.chain = Some(r#"{"nodes":3,"operators":[]}"#.to_owned());
            }
        }
        graph
    }

    fn is_windowed(&self) -> bool {
        self.spec != AGGREGATE
    }

    /// The event time of a record.
    fn time(&self, number: u32) -> u32 {
        let jitter = number.wrapping_mul(2_654_435_761) >> 16;
        // Sessions end where nothing comes for a while.
        let steady = 1000 + number * 4 + number / 40 * 60;
        if self.late && jitter.is_multiple_of(9) {
            steady - 150
        } else {
            steady - jitter % DISORDER_MS
        }
    }
}

/// What the JavaScript of a task would do: sources count, the collector keeps what it gets.
struct Task {
    id: TaskId,
    operator: String,
    instance: u32,
    next: u32,
    /// Of a source, how far its event times are.
    greatest: f64,
    rows: Vec<Vec<u64>>,
}

impl Task {
    fn new(job: &JobCore, id: usize) -> Self {
        let plan = &job.graph().tasks[id];
        let mut task = Self {
            id: plan.id,
            operator: plan.operators[0].clone(),
            instance: plan.instance,
            next: 0,
            greatest: f64::NEG_INFINITY,
            rows: Vec::new(),
        };
        let read = job
            .read_checkpoint(&task.operator, "all", plan.instance, plan.parallelism)
            .unwrap();
        if read[0] == 1 {
            let mut rest = &read[5..];
            while let Some((head, behind)) = rest.split_first_chunk::<12>() {
                let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
                let (own, behind) = behind.split_at(word(8) as usize);
                if word(0) == task.instance {
                    task.restore(own);
                }
                rest = behind;
            }
        }
        task
    }

    /// Words of 8 bytes: the next record, the greatest time, and rows behind their lengths.
    fn image(&self) -> Vec<u8> {
        let mut words = vec![u64::from(self.next), self.greatest.to_bits()];
        for row in &self.rows {
            words.push(row.len() as u64);
            words.extend(row);
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut image = TaskImage::new();
        let part = ImagePart {
            operator: &self.operator,
            name: "all",
            kind: PartKind::Own,
            is_full: true,
            payload: &bytes,
        };
        image.push(&part).unwrap();
        image.as_bytes().to_vec()
    }

    fn restore(&mut self, bytes: &[u8]) {
        let mut words = bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|word| u64::from_le_bytes(*word));
        self.next = u32::try_from(words.next().unwrap()).unwrap();
        self.greatest = f64::from_bits(words.next().unwrap());
        while let Some(length) = words.next() {
            self.rows
                .push(words.by_ref().take(usize::try_from(length).unwrap()).collect());
        }
    }

    /// `false` when there was nothing to do.
    fn step(&mut self, isolate: &Isolate, case: &Case, rests: bool) -> bool {
        match isolate.take(self.id).unwrap() {
            Take::Nothing => return false,
            Take::Barrier { epoch, .. } => isolate.acknowledge(self.id, epoch, &self.image()).unwrap(),
            Take::Source if rests => return false,
            Take::Source => {
                self.give(isolate, case);
                if self.next == case.records {
                    self.finish(isolate);
                }
            }
            Take::Batch(arrival) => {
                let view = arrival.frame.view(isolate.job().registry()).unwrap();
                let columns = if case.is_windowed() { 5 } else { 3 };
                let row = |row: usize| {
                    (0..columns)
                        .map(|column| view.f64s(column)[row].to_bits())
                        .collect()
                };
                self.rows.extend((0..view.rows()).map(row));
            }
            Take::End(_) => self.finish(isolate),
            Take::Time(_) | Take::Flush => unreachable!("results have no event times, and there is no loop"),
        }
        true
    }

    fn finish(&self, isolate: &Isolate) {
        isolate.acknowledge(self.id, 0, &self.image()).unwrap();
        isolate.finish_task(self.id).unwrap();
    }

    /// A batch, and how far event time is behind it.
    fn give(&mut self, isolate: &Isolate, case: &Case) {
        let until = case.records.min(self.next + case.batch_rows);
        let numbers: Vec<u32> = (self.next..until).collect();
        self.next = until;
        if numbers.is_empty() {
            return;
        }
        let column = |value: &dyn Fn(u32) -> u32| -> Vec<f64> {
            numbers.iter().map(|&number| f64::from(value(number))).collect()
        };
        let instance = self.instance;
        let keys = column(&|number| (number * 7 + number / 13 + instance) % KEYS);
        let times = column(&|number| case.time(number));
        let values = column(&|number| number * 3 + instance);
        self.greatest = times.iter().copied().fold(self.greatest, f64::max);
        let (layout, columns) = if case.is_windowed() {
            let layout = r#"{"key":"f64","time":"f64","row":{"tup":["f64"]}}"#;
            (layout, vec![keys, times, values])
        } else {
            (r#"{"key":"f64","row":{"tup":["f64"]}}"#, vec![keys, values])
        };
        let registry = isolate.job().registry();
        let id = registry.intern(layout).unwrap();
        let buffers = columns
            .iter()
            .map(|column| bytemuck::cast_slice::<f64, u8>(column));
        let layout = registry.get(id).unwrap();
        let view = BatchView::from_parts(layout, id, numbers.len(), buffers, []).unwrap();
        isolate.emit(self.id, 0, &view).unwrap();
        if case.is_windowed() {
            let watermark = self.greatest - f64::from(DISORDER_MS);
            isolate.emit_time(self.id, 0, watermark, false).unwrap();
        }
    }
}

/// What one run has come to.
struct Ended {
    state: JobState,
    /// Of the collector, in any order.
    rows: Vec<Vec<u64>>,
}

/// Begins epochs when the dice say so, and kills the job after so many steps of its tasks if it has not ended before.
fn run(
    case: &Case,
    parallelism: usize,
    files: &SimulatedFiles,
    dice: &mut Choices,
    kill_after: Option<usize>,
) -> Result<Ended, SageError> {
    let job = job_with_checkpoints(
        &case.graph(parallelism),
        CheckpointSettings::new("/epochs"),
        files.shared(),
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
    )?;
    let collector = case.sources + parallelism;
    let mut tasks: Vec<Task> = (0..case.sources)
        .chain([collector])
        .map(|id| Task::new(&job, id))
        .collect();
    let isolate = job.attach(0, None).unwrap();
    let (mut steps, mut released, mut awaited) = (0, None, None);
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < PATIENCE, "{:?}", job.metrics());
        if kill_after.is_some_and(|after| steps >= after) {
            job.cancel();
        }
        if dice.below(6) == 0 {
            let begun = job.begin_checkpoint().unwrap();
            awaited = begun.filter(|_| case.paced).or(awaited);
        }
        match isolate.poll(released.take(), Duration::from_millis(1)).unwrap() {
            Next::Task(id) => {
                let task = tasks.iter_mut().find(|task| task.id == id).unwrap();
                let newest = || job.metrics().checkpoints.map_or(0, |made| made.last_epoch);
                awaited = awaited.filter(|&epoch| newest() < epoch);
                steps += usize::from(task.step(&isolate, case, awaited.is_some()));
                released = Some(id);
            }
            Next::Idle => {}
            Next::Over => break,
        }
    }
    assert!(job.wait_settled(PATIENCE), "{:?}", job.metrics());
    let mut rows = tasks.pop().unwrap().rows;
    rows.sort_unstable();
    match job.state() {
        JobState::Failed => Err(job.error().map_or_else(
            || SageError::new(ErrorCode::Internal, "failed without an error"),
            |error| SageError::new(ErrorCode::Internal, error.to_string()),
        )),
        state => Ok(Ended { state, rows }),
    }
}

/// As `run`; where only some instances had ended, with as many of them as then.
fn run_rescaled(
    case: &Case,
    parallelism: usize,
    files: &SimulatedFiles,
    dice: &mut Choices,
    kill_after: Option<usize>,
) -> Ended {
    let mut refused = None;
    for parallelism in [parallelism, 1, 2, 3] {
        match run(case, parallelism, files, dice, kill_after) {
            Ok(ended) => return ended,
            Err(error) => {
                assert_eq!(error.code, ErrorCode::CheckpointRescale, "{error}");
                refused = Some(error);
            }
        }
    }
    panic!("no parallelism is that of the epoch: {refused:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn given_keyed_state_that_is_killed_when_it_goes_on_with_other_instances_then_results_are_those_of_an_undisturbed_run(
        case in case(),
    ) {
        let mut dice = Choices(case.seed);
        let undisturbed = run(&case, 1, &SimulatedFiles::new(), &mut dice, None).unwrap();
        prop_assert_eq!(undisturbed.state, JobState::Finished);

        let mut files = SimulatedFiles::new();
        let (last, killed) = case.parallelism.split_last().unwrap();
        // Steps of sources, and some of the collector.
        let most = case.sources * (case.records / case.batch_rows) as usize + 20;
        for &parallelism in killed {
            let kill_after = dice.below(most);
            run_rescaled(&case, parallelism, &files, &mut dice, Some(kill_after));
            files = files.restarted(dice.below(1 << 20) as u64);
        }
        let ended = run_rescaled(&case, *last, &files, &mut dice, None);

        prop_assert_eq!(ended.state, JobState::Finished);
        prop_assert_eq!(ended.rows, undisturbed.rows);
    }
}

fn aggregate_case(spec: &str) -> Case {
    Case {
        spec: spec.to_owned(),
        sources: 1,
        records: 200,
        batch_rows: 5,
        late: false,
        paced: false,
        parallelism: Vec::new(),
        seed: 1,
    }
}

#[test]
fn given_state_of_an_aggregate_when_its_aggregators_are_others_then_the_job_fails_and_says_so() {
    let case = aggregate_case(AGGREGATE);
    let files = SimulatedFiles::new();
    let mut dice = Choices(1);
    // Killed behind the first batches, until an epoch was durable.
    let saved = (0..1000).find(|_| {
        run(&case, 2, &files, &mut dice, Some(30)).unwrap();
        files_have_an_epoch(&case, &files)
    });
    assert!(saved.is_some());

    let others = aggregate_case(&AGGREGATE.replace(r#""kind":"sum""#, r#""kind":"last""#));
    let Err(error) = run(&others, 2, &files, &mut dice, None) else {
        panic!("state of other aggregators was taken");
    };

    assert!(error.message.contains("SAGE_CHECKPOINT_DAMAGED"), "{error}");
    assert!(error.message.contains("other aggregators"), "{error}");
}

/// Whether a job would go on from something.
fn files_have_an_epoch(case: &Case, files: &SimulatedFiles) -> bool {
    let job = job_with_checkpoints(
        &case.graph(2),
        CheckpointSettings::new("/epochs"),
        files.shared(),
        Arc::new(ManualClock::new()),
        Arc::new(TestConnectors::default()),
    )
    .unwrap();
    let restored = job.restored_epoch().is_some();
    job.cancel();
    assert!(job.wait_settled(PATIENCE));
    restored
}

#[test]
fn given_epochs_between_which_few_keys_change_then_tasks_hand_over_changes() {
    for spec in unordered().iter().chain(&ordered()) {
        let mut case = aggregate_case(spec);
        case.batch_rows = 1;
        case.paced = true;
        let has_changes = |seed| {
            let files = SimulatedFiles::new();
            run(&case, 1, &files, &mut Choices(seed), Some(60)).unwrap();
            let files: Arc<dyn Files> = files.shared();
            let epoch = inspect(&files, Path::new("/epochs"));
            epoch.is_ok_and(|epoch| {
                epoch
                    .parts
                    .iter()
                    .any(|part| ["state", "windows"].contains(&&*part.key.name) && !part.is_full)
            })
        };
        // Some runs are killed behind few epochs.
        assert!((0..30).any(has_changes), "{spec}");
    }
}

#[test]
fn given_windows_that_go_on_then_rows_of_windows_that_had_closed_are_late_as_before() {
    let mut case = aggregate_case(&ordered()[0]);
    case.late = true;
    let undisturbed = run(&case, 1, &SimulatedFiles::new(), &mut Choices(2), None).unwrap();
    for seed in 0..5 {
        let mut dice = Choices(seed);
        let files = SimulatedFiles::new();
        run(&case, 3, &files, &mut dice, Some(35)).unwrap();
        let ended = run_rescaled(&case, 2, &files, &mut dice, None);
        assert_eq!(ended.rows, undisturbed.rows, "seed {seed}");
    }
}
