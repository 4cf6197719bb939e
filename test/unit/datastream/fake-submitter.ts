import type { Job, JobMetrics, JobResult, StopOptions, SubmitOptions } from '../../../ts/transformations/job.ts';
import type { PlanDescription } from '../../../ts/transformations/plan-description.ts';
import { SinkTransformation } from '../../../ts/transformations/sink-transformation.ts';
import type { SourceTransformation } from '../../../ts/transformations/source-transformation.ts';
import type { JobSubmitter, StreamEnvironment } from '../../../ts/transformations/stream-environment.ts';

/** A job that hands the arrays of the pipeline's sources to its collect() sinks, and notes what it is asked to do. */
export class FakeJob implements Job {
  readonly id = 'fake';
  readonly name = 'fake';
  status: Job['status'] = 'running';
  readonly calls: string[] = [];
  /** Records that sinks have accepted, waits included. */
  written = 0;
  readonly completion: Promise<JobResult>;
  readonly ended: Promise<void>;
  #canceled = false;

  constructor(environment: StreamEnvironment, failure: Error | undefined, endless: boolean) {
    this.completion = this.#run(environment, failure, endless);
    this.ended = this.completion.then(
      () => {},
      () => {},
    );
  }

  metrics(): JobMetrics {
    return { status: this.status, operators: [], edges: [], stages: [], tasks: [], scaling: [], restarts: 0, guarantee: { level: 'none', limits: [] } };
  }

  state(): never {
    throw new Error('a job that only pretends has no state');
  }

  checkpoint(): never {
    throw new Error('a job that only pretends has no checkpoints');
  }

  savepoint(): never {
    throw new Error('a job that only pretends has no savepoints');
  }

  async pause(): Promise<void> {}

  async resume(): Promise<void> {}

  stop(_options?: StopOptions): Promise<JobResult> {
    this.calls.push('stop');
    this.#canceled = true;
    return this.completion;
  }

  async cancel(): Promise<void> {
    this.calls.push('cancel');
    this.#canceled = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }

  async #run(environment: StreamEnvironment, failure: Error | undefined, endless: boolean): Promise<JobResult> {
    await nextTurn();
    for (const transformation of environment.pipeline) {
      if (!(transformation instanceof SinkTransformation) || transformation.sink.form !== 'collect') continue;
      const source = transformation.inputs[0] as SourceTransformation;
      const items = source.source.form === 'collection' ? source.source.items : [];
      let again: boolean;
      do {
        for (const item of items) {
          if (this.#canceled) break;
          this.written += 1;
          await transformation.sink.collector.write(item);
        }
        again = endless && !this.#canceled;
        if (again) await nextTurn();
      } while (again);
    }
    if (failure !== undefined) {
      this.status = 'failed';
      throw failure;
    }
    this.status = this.#canceled ? 'canceled' : 'finished';
    return result(this.status);
  }
}

/** Submits fake jobs and remembers what it was given. */
export class FakeSubmitter implements JobSubmitter {
  readonly submitted: SubmitOptions[] = [];
  readonly jobs: FakeJob[] = [];
  /** What the next jobs fail with. */
  failure: Error | undefined;
  /** Jobs that repeat their input until they are cancelled. */
  endless = false;

  explain(environment: StreamEnvironment, level: string): string {
    return `${level} of ${environment.name}`;
  }

  describe(environment: StreamEnvironment): PlanDescription {
    const isolates = { workers: 0, main: true, reason: 'nothing is real here' };
    return { version: 1, name: environment.name, operators: [], optimisations: [], stages: [], exchanges: [], isolates, guarantee: { level: 'none', limits: [] }, tasks: 0, queues: 0, warnings: [] };
  }

  async submit(environment: StreamEnvironment, options: SubmitOptions): Promise<Job> {
    this.submitted.push(options);
    const job = new FakeJob(environment, this.failure, this.endless);
    this.jobs.push(job);
    return job;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function result(status: Job['status']): JobResult {
  return {
    jobId: 'fake',
    name: 'fake',
    status,
    recordsIn: 0,
    recordsOut: 0,
    recordsDropped: 0,
    recordsSkipped: 0,
    deadLetters: 0,
    durationMs: 0,
    isolates: 1,
    scaling: [],
    operators: [],
    edges: [],
    restarts: 0,
    guarantee: { level: 'none', limits: [] },
  };
}
