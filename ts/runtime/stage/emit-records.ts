import type { StageBindings } from './stage-bindings.ts';

/** Gives results of a node below through the linked nodes; used by the linked form only. */
export async function emitRecords(records: Iterable<unknown>, node: number, { counts, linked }: StageBindings): Promise<void> {
  const { emit } = linked[node]!;
  for (const record of records) {
    counts[node]!++;
    const pushed = emit(record, undefined);
    if (pushed !== undefined) await pushed;
  }
}
