import type { SinkDescriptor } from '../../transformations/sink-descriptor.ts';
import { DEFAULT_RETAINED, hasCheckpoints } from '../../transformations/checkpoint-settings.ts';
import type { PlanConfig } from '../compile-options.ts';
import { replayOf } from '../checks/check-checkpoints.ts';
import type { LogicalOperator } from '../logical-plan.ts';

/** What a pipeline guarantees when it goes on from a checkpoint, as lines of its plan; none for a pipeline without checkpoints. */
export function describeGuarantees(operators: readonly LogicalOperator[], config: PlanConfig): readonly string[] {
  const { checkpoint } = config;
  if (!hasCheckpoints(config) || checkpoint === undefined) return [];
  const { dir, intervalMs, retained = DEFAULT_RETAINED } = checkpoint;
  const when = intervalMs === undefined ? 'when asked for' : `every ${intervalMs} ms`;
  return [`checkpoints: ${when}, ${retained} kept in ${dir}; state exactly once`, ...operators.flatMap(sourceLine), ...operators.flatMap(sinkLine)];
}

function sourceLine({ source, name }: LogicalOperator): readonly string[] {
  if (source === undefined || replayOf(source) !== 'replayed') return [];
  return [`  source '${name}': replayed from the start: exact only if the source repeats itself`];
}

function sinkLine({ transformation, name }: LogicalOperator): readonly string[] {
  if (transformation.kind !== 'sink') return [];
  const who = outsider(transformation.sink);
  return who === undefined ? [] : [`  sink '${name}': at least once: ${who} gets what came after the last checkpoint again`];
}

/** Who takes records that cannot be taken back. */
function outsider({ form }: SinkDescriptor): string | undefined {
  switch (form) {
    case 'array':
      return 'the array';
    case 'collect':
      return 'the reader';
    case 'stream':
      return 'the stream';
    case 'function':
      return 'the function';
    default:
      return undefined;
  }
}
