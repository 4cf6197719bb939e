import type { BatchPlan } from '../layout/batch-plan.ts';
import { emitDecoder, emitTupleColumns } from './decoder.ts';
import { propertyName } from './segment-text.ts';

/**
 * Where the records of a segment come from.
 *
 * - `array`: `source` is an array; rows `start .. end` of it; their keys and event times are in the arrays `keys` and `times`, if they have any
 * - `iterator`: `source` is a synchronous iterator
 * - `function`: `source()` gives a record, `undefined` for nothing now, `END` for the end; `batch`: null or undefined for the end
 * - `batch`: `source` is a `BatchReader` with an image of layout `plan`
 * - `results`: a `BatchReader` with results of a native aggregate, one column each of `names`; the key is in the image
 * - `running`: the same, with the keys in the array `keys`
 * - `windows`: results of windows: start and end, and a column each of `names`; the key is in the image where there is one
 */
export type SegmentInput =
  | { readonly kind: 'array'; readonly keyed: boolean; readonly timed: boolean }
  | { readonly kind: 'iterator' }
  | { readonly kind: 'function'; readonly ends: 'source' | 'batch' }
  | { readonly kind: 'batch'; readonly plan: BatchPlan; readonly missing: boolean }
  | { readonly kind: 'results' | 'running'; readonly plan: BatchPlan; readonly names: readonly string[]; readonly keyed: boolean }
  | { readonly kind: 'windows'; readonly plan: BatchPlan; readonly names: readonly string[]; readonly keyed: boolean };

/** The last whole millisecond of a window: a result belongs to its window, and is not behind what event time was before it. */
const WINDOW_TIME = 'Math.ceil(end_) - 1';

/** Text that gives one row of an input: `prelude` once a call, `row` before `key`, `time` and `record` are used. */
export interface InputText {
  readonly prelude: readonly string[];
  readonly row: readonly string[];
  readonly key: string | undefined;
  readonly time: string | undefined;
  readonly record: string;
}

/** The text that reads the rows of a segment's input. */
export function emitInput(input: SegmentInput, root: number): InputText {
  const views = ['const B = source, F64 = B.F64, I32 = B.I32, U32 = B.U32, U8 = B.U8;'];
  switch (input.kind) {
    case 'array':
      return { prelude: [], row: [], key: input.keyed ? 'keys[i]' : undefined, time: input.timed ? 'times[i]' : undefined, record: 'source[i]' };
    case 'iterator':
      return {
        prelude: [],
        row: [
          `op = ${root};`,
          'const next = source.next();',
          'if (next.done !== false) {',
          '  if (typeof next.then === "function") { ctl.pulled = next; return i; }',
          '  if (next.done) { ctl.ended = true; break; }',
          '  if (typeof next !== "object" && typeof next !== "function") R.iteratorResult(next);',
          '}',
        ],
        key: undefined,
        time: undefined,
        record: 'next.value',
      };
    case 'function':
      return {
        prelude: [],
        row: [
          `op = ${root};`,
          'const pulled = source();',
          "if (typeof pulled === 'object' && pulled !== null && typeof pulled.then === 'function') { ctl.pulled = pulled; return i; }",
          input.ends === 'batch'
            ? 'if (pulled === null || pulled === undefined) { ctl.ended = true; break; }'
            : 'if (pulled === ctl.END) { ctl.ended = true; break; }\n      if (pulled === undefined) { ctl.nothing = true; break; }',
        ],
        key: undefined,
        time: undefined,
        record: 'pulled',
      };
    case 'batch': {
      const text = emitDecoder(input.plan, input.missing);
      return { prelude: [...views, ...text.prelude], row: text.row, key: text.key, time: text.time, record: text.record };
    }
    case 'windows': {
      const { prelude, row, key, columns } = emitTupleColumns(input.plan);
      const [start, end, ...results] = columns as [string, string, ...string[]];
      const fields = input.names.map((name, n) => `${propertyName(name)}: ${results[n]!}`);
      return {
        prelude: [...views, ...prelude],
        row: [...row, `const start_ = ${start}, end_ = ${end};`],
        key: undefined,
        time: WINDOW_TIME,
        record: `{ ${[...(input.keyed ? [`key: ${key ?? 'undefined'}`] : []), 'window: { start: start_, end: end_ }', ...fields].join(', ')} }`,
      };
    }
    case 'results':
    case 'running': {
      const text = emitTupleColumns(input.plan);
      const fields = input.names.map((name, n) => `${propertyName(name)}: ${text.columns[n]!}`);
      const key = input.kind === 'running' ? 'keys[i]' : text.key;
      if (input.keyed) fields.unshift(`key: ${key ?? 'undefined'}`);
      return { prelude: [...views, ...text.prelude], row: text.row, key: undefined, time: undefined, record: `{ ${fields.join(', ')} }` };
    }
  }
}
