import { isTransactionalFunction } from '../../functions/transactional-sink.ts';
import { hasCheckpoints } from '../../transformations/checkpoint-settings.ts';
import type { Guarantee, GuaranteeLimit, JobGuarantee } from '../../transformations/job-guarantee.ts';
import { isStandardOutput, type SinkDescriptor } from '../../transformations/sink-descriptor.ts';
import { replayOf } from '../checks/check-checkpoints.ts';
import type { PlanConfig } from '../compile-options.ts';
import type { LogicalOperator } from '../logical-plan.ts';

/** Files that are none: what was written to them cannot be taken back. */
const DEVICES = '/dev/';

/** What a pipeline guarantees when it goes on from a checkpoint. */
export function jobGuarantee(operators: readonly LogicalOperator[], config: PlanConfig): JobGuarantee {
  if (!hasCheckpoints(config)) return { level: 'none', limits: [] };
  const limits = [...operators.flatMap(sourceLimit), ...operators.flatMap(sinkLimit)];
  return { level: leastOf(limits), limits };
}

function leastOf(limits: readonly GuaranteeLimit[]): Guarantee {
  if (limits.length === 0) return 'exactlyOnce';
  return limits.some(({ guarantee }) => guarantee === 'atLeastOnce') ? 'atLeastOnce' : 'effectivelyOnce';
}

function sourceLimit({ source, name }: LogicalOperator): readonly GuaranteeLimit[] {
  if (source === undefined || replayOf(source) !== 'replayed') return [];
  return [{ operator: name, kind: 'source', guarantee: 'atLeastOnce', reason: 'replayed from the start: exact only if the source repeats itself' }];
}

function sinkLimit({ transformation, name }: LogicalOperator): readonly GuaranteeLimit[] {
  if (transformation.kind !== 'sink') return [];
  const { sink } = transformation;
  if (sink.form === 'function') {
    if (isTransactionalFunction(sink.fn)) return [];
    if (sink.delivery === 'idempotent') {
      return [{ operator: name, kind: 'sink', guarantee: 'effectivelyOnce', reason: "the function gets what came after the last checkpoint again, and overwrites what it has (delivery: 'idempotent')" }];
    }
  }
  const who = outsider(sink);
  return who === undefined ? [] : [{ operator: name, kind: 'sink', guarantee: 'atLeastOnce', reason: `${who} gets what came after the last checkpoint again` }];
}

/** Who takes records that cannot be taken back. */
function outsider(sink: SinkDescriptor): string | undefined {
  switch (sink.form) {
    case 'array':
      return 'the array';
    case 'collect':
      return 'the reader';
    case 'stream':
      return 'the stream';
    case 'function':
      return 'the function';
    case 'native': {
      const { path } = sink.spec;
      return isStandardOutput(path) ? 'the standard output' : path.startsWith(DEVICES) ? 'the device' : undefined;
    }
  }
}
