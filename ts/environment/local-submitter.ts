import { availableParallelism } from 'node:os';

import { SageError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { compile } from '../compiler/compile.ts';
import { describePlan } from '../compiler/explain/describe-plan.ts';
import { explain } from '../compiler/explain/explain.ts';
import { fingerprint } from '../compiler/fingerprint/fingerprint.ts';
import { JobManager } from '../jobmanager/job-manager.ts';
import { jobControls } from '../runtime/job/job-controls.ts';
import { outcomeRecords } from '../runtime/job/outcome-records.ts';
import { type PipelineOrigin, pipelineOrigin } from '../runtime/worker/pipeline-origin.ts';
import { workerSession } from '../runtime/worker/worker-session.ts';
import type { RestoreOptions } from '../transformations/checkpoint-settings.ts';
import type { Job, SubmitOptions } from '../transformations/job.ts';
import type { JobSubmitter, StreamEnvironment } from '../transformations/stream-environment.ts';
import { explainEnvironment } from './explain-environment.ts';
import { originForLater } from './origin-for-later.ts';
import { sourceSplits } from './source-splits.ts';
import { submitObserver } from './submit-observer.ts';
import { isUnfused } from './unfused-environments.ts';

/** How a `LocalEnvironment` compiles and starts jobs: in this process. */
export const localSubmitter: JobSubmitter = {
  explain(environment, level, calledAt) {
    return explain(planFor(environment, pipelineOrigin(environment, 'explain'), calledAt, sourceSplits(environment)).compiled, level);
  },

  describe(environment, calledAt) {
    return describePlan(planFor(environment, pipelineOrigin(environment, 'explain'), calledAt, sourceSplits(environment)).compiled, environment.name);
  },

  async submit(environment: StreamEnvironment, options: SubmitOptions, calledAt: SourceLocation): Promise<Job> {
    const session = workerSession();
    if (session !== undefined) return session.accept(environment);
    const observer = submitObserver();
    const instead = observer?.submitting?.({ environment, explain: (options) => explainEnvironment(localSubmitter, environment, options, calledAt) });
    if (instead !== undefined) return instead;
    // Before the first await: it looks at who called submit.
    const ownOrigin = pipelineOrigin(environment, 'submit');
    const { signal } = options;
    if (signal?.aborted === true) throw canceled(environment.name, signal);
    const splits = sourceSplits(environment);
    const { compiled, origin } = planFor(environment, ownOrigin, calledAt, splits, options.autostop);
    for (const warning of compiled.physical.warnings) process.emitWarning(warning, { type: 'SageWarning' });
    const job = await JobManager.instance().start({
      name: environment.name,
      config: environment.config,
      physical: compiled.physical,
      graph: compiled.graph,
      origin,
      fingerprint: () => fingerprint(environment.pipeline, environment.config),
      cores: availableParallelism(),
      splits,
      controls: jobControls(environment),
      outcomes: outcomeRecords(environment),
    }, restoreOptions(options));
    observer?.started?.(job, environment);
    if (signal !== undefined) {
      const cancel = (): void => job.cancelBecause(canceled(environment.name, signal));
      signal.addEventListener('abort', cancel, { once: true });
      // It may have come while the job was being started.
      if (signal.aborted) cancel();
      void job.ended.then(() => signal.removeEventListener('abort', cancel));
    }
    return job;
  },
};

/** A pipeline as it is to run, and how workers build it again. */
interface Planned {
  readonly compiled: ReturnType<typeof compile>;
  readonly origin: PipelineOrigin;
}

function planFor(
  environment: StreamEnvironment,
  origin: PipelineOrigin,
  declaredAt: SourceLocation,
  splits: ReadonlyMap<number, number>,
  autostop?: boolean,
): Planned {
  const { pipeline, config } = environment;
  const compileFor = (origin: PipelineOrigin): Planned['compiled'] =>
    compile(pipeline, config, {
      importable: origin.kind !== 'none',
      ...(origin.kind === 'none' ? { notImportableReason: origin.reason, mainOnly: origin.isWanted === true } : {}),
      ...(autostop === undefined ? {} : { autostop }),
      ...(isUnfused(environment) ? { fuse: false } : {}),
      cores: availableParallelism(),
      splits,
      declaredAt,
    });
  const compiled = compileFor(origin);
  if (compiled.physical.isolates.lateWorkers === 0) return { compiled, origin };
  const later = originForLater(origin, config);
  return { compiled: later.kind === 'none' ? compileFor(later) : compiled, origin: later };
}

function restoreOptions({ from, allowDropped }: SubmitOptions): RestoreOptions {
  return { ...(from === undefined ? {} : { from }), ...(allowDropped === undefined ? {} : { allowDropped }) };
}

function canceled(name: string, signal: AbortSignal): SageError {
  return new SageError('SAGE_JOB_CANCELED', `job '${name}' was cancelled by its signal`, { cause: signal.reason });
}
