import type { StageGroup, StageGroups } from './stage-group.ts';

/** Producers before consumers; of those that are free, the one that the user wrote first. */
export function orderStages(groups: StageGroups): readonly StageGroup[] {
  const waiting = new Set(groups.all());
  const ordered: StageGroup[] = [];
  while (waiting.size > 0) {
    const next = [...waiting].find((group) =>
      group.operators.every((operator) =>
        groups.into(operator).every(({ from }) => groups.of(from) === group || !waiting.has(groups.of(from))),
      ),
    );
    if (next === undefined) throw new TypeError('the stages of a plan go round in a circle'); // fuseStages rules it out
    waiting.delete(next);
    ordered.push(next);
  }
  return ordered;
}
