import { type CheckpointSettings, DEFAULT_RETAINED } from '../../transformations/checkpoint-settings.ts';
import type { Guarantee, JobGuarantee } from '../../transformations/job-guarantee.ts';

const WORDS: Readonly<Record<Guarantee, string>> = {
  exactlyOnce: 'exactly once',
  effectivelyOnce: 'effectively once',
  atLeastOnce: 'at least once',
  none: 'none, as there are no checkpoints',
};

/** What a job guarantees, as lines of its plan. */
export function explainGuarantee({ level, limits }: JobGuarantee, checkpoint: CheckpointSettings | undefined): readonly string[] {
  return [
    ...(checkpoint === undefined ? [] : [checkpointLine(checkpoint)]),
    `guarantee: ${WORDS[level]}`,
    ...limits.map(({ kind, operator, guarantee, reason }) => `  ${kind} '${operator}': ${WORDS[guarantee]}: ${reason}`),
  ];
}

function checkpointLine({ dir, intervalMs, retained = DEFAULT_RETAINED }: CheckpointSettings): string {
  const when = intervalMs === undefined ? 'when asked for' : `every ${intervalMs} ms`;
  return `checkpoints: ${when}, ${retained} kept in ${dir}; state exactly once`;
}
