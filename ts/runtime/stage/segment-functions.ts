import { channel } from 'node:diagnostics_channel';

import type { SegmentInput } from '../../compiler/codegen/segment-input.ts';
import { isUntimedSource } from '../../compiler/physical/is-untimed-source.ts';
import { END } from '../../functions/source-function.ts';
import { Timestamped } from '../../functions/timestamped.ts';
import type { BatchReader } from '../codec/batch-reader.ts';
import { canGenerateCode } from '../codec/can-generate-code.ts';
import { linkDecoder, linkTupleColumns } from '../codec/linked-decoder.ts';
import { iteratorResult } from './iterator-result.ts';
import { isThenable } from './is-thenable.ts';
import { SegmentCode } from './segment-code.ts';
import { Segment, type SegmentFunction } from './segment.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';

/** Told of each function that is made: benchmarks fail when one is not generated code. */
const segmentMade = channel('sage:segment:made');

/** The functions of a stage's segments, made when they are first needed: one for each root, input form and layout. */
export class SegmentFunctions {
  readonly #bindings: StageBindings;
  readonly #name: string;
  readonly #code: SegmentCode;
  readonly #functions = new Map<string, Segment>();
  /** Whether the last function was generated; a linked one is slower and the job says so. */
  readonly fused: boolean = canGenerateCode();

  constructor(bindings: StageBindings, name: string) {
    this.#bindings = bindings;
    this.#name = name;
    this.#code = new SegmentCode(bindings, name);
  }

  /** The function of a root for one form of input. `id` tells layouts apart. */
  get(root: number, input: SegmentInput, id: string): Segment {
    const key = `${root}/${input.kind}/${id}`;
    let segment = this.#functions.get(key);
    if (segment === undefined) {
      segment = this.fused ? this.#code.segment(root, input) : new Segment(this.#link(root, input));
      this.#functions.set(key, segment);
      if (segmentMade.hasSubscribers) {
        segmentMade.publish({ stage: this.#name, root, input: input.kind, form: this.fused ? 'fused' : 'linked' });
      }
    }
    return segment;
  }

  #link(root: number, input: SegmentInput): SegmentFunction {
    const { control, counts, linked, stage } = this.#bindings;
    const isUntimed = isUntimedSource(stage, root);
    const { emit } = linked[root]!;
    const push = (value: unknown, key: unknown, time: number | undefined): boolean => {
      if (isUntimed && value instanceof Timestamped) control.refuseTimestamped(root, value);
      counts[root]!++;
      control.time = time;
      const pushed = emit(value, key);
      if (pushed === undefined) return control.stop;
      control.suspend(-1, pushed, undefined, undefined, []);
      return true;
    };
    switch (input.kind) {
      case 'array':
        return (source, start, end, keys, times) => {
          for (let i = start; i < end; i++) if (push((source as unknown[])[i], keys?.[i], times?.[i])) return i + 1;
          return end;
        };
      case 'iterator':
        return (source, start, end) => {
          for (let i = start; i < end; i++) {
            const next = this.#pull(root, () => iteratorResult((source as Iterator<unknown>).next()));
            if (isThenable(next)) {
              control.pulled = next;
              return i;
            }
            if (next.done) {
              control.ended = true;
              return i;
            }
            if (push(next.value, undefined, undefined)) return i + 1;
          }
          return end;
        };
      case 'function':
        return (source, start, end) => {
          for (let i = start; i < end; i++) {
            const pulled = this.#pull(root, source as () => unknown);
            if (isThenable(pulled)) {
              control.pulled = pulled;
              return i;
            }
            const ended = input.ends === 'batch' ? pulled === null || pulled === undefined : pulled === END;
            if (ended) control.ended = true;
            else if (pulled === undefined) control.nothing = true;
            if (ended || pulled === undefined) return i;
            if (push(pulled, undefined, undefined)) return i + 1;
          }
          return end;
        };
      default:
        return (source, start, end, keys) => {
          const reader = source as BatchReader;
          const read = linkRows(input, reader, keys);
          for (let i = start; i < end; i++) if (push(read.record(i), read.key?.(i), read.time?.(i))) return i + 1;
          return end;
        };
    }
  }

  #pull<T>(root: number, pull: () => T): T {
    try {
      return pull();
    } catch (error) {
      throw this.#bindings.control.threw(error, root, NO_RECORD);
    }
  }
}

/** Readers of results of windows, as the segment's text reads them. */
function linkWindows(
  { names, keyed }: Extract<SegmentInput, { kind: 'windows' }>,
  [start, end, ...results]: ((row: number) => number)[],
  key: ((row: number) => unknown) | undefined,
): ReturnType<typeof linkRows> {
  return {
    key: undefined,
    time: (row) => Math.ceil(end!(row)) - 1,
    record: (row) => ({
      ...(keyed ? { key: key?.(row) } : {}),
      window: { start: start!(row), end: end!(row) },
      ...Object.fromEntries(names.map((name, n) => [name, results[n]!(row)])),
    }),
  };
}

/** Readers of the rows of a batch, without generated code. */
export function linkRows(
  input: Exclude<SegmentInput, { kind: 'array' | 'iterator' | 'function' }>,
  reader: BatchReader,
  keys: readonly unknown[] | undefined,
): { record: (row: number) => unknown; key: ((row: number) => unknown) | undefined; time: ((row: number) => number) | undefined } {
  const decoder = linkDecoder(input.plan, reader);
  if (input.kind === 'batch') return decoder;
  const columns = linkTupleColumns(input.plan, reader);
  if (input.kind === 'windows') return linkWindows(input, columns as ((row: number) => number)[], decoder.key);
  const record = (row: number): unknown => {
    const result: Record<string, unknown> = {};
    if (input.keyed) result['key'] = keys === undefined ? decoder.key?.(row) : keys[row];
    input.names.forEach((name, n) => {
      result[name] = columns[n]!(row);
    });
    return result;
  };
  return { record, key: undefined, time: undefined };
}
