import { type SegmentInput, emitSegment } from '../../compiler/codegen/segment.ts';
import { END } from '../../functions/source-function.ts';
import type { BatchReader } from '../codec/batch-reader.ts';
import { canGenerateCode } from '../codec/can-generate-code.ts';
import { linkDecoder, linkTupleColumns } from '../codec/linked-decoder.ts';
import { isThenable } from './linked-node.ts';
import type { StageBindings } from './stage-bindings.ts';

/** Runs the rows `start .. end` of a source and returns the first row that it has not taken. */
export type SegmentFunction = (source: unknown, start: number, end: number, keys?: readonly unknown[]) => number;

let generated = 0;

/** The functions of a stage's segments, made when they are first needed: one for each root, input form and layout. */
export class SegmentFunctions {
  readonly #bindings: StageBindings;
  readonly #name: string;
  readonly #functions = new Map<string, SegmentFunction>();
  /** Whether the last function was generated; a linked one is slower and the job says so. */
  readonly fused: boolean = canGenerateCode();

  constructor(bindings: StageBindings, name: string) {
    this.#bindings = bindings;
    this.#name = name;
  }

  /** The function of a root for one form of input. `id` tells layouts apart. */
  get(root: number, input: SegmentInput, id: string): SegmentFunction {
    const key = `${root}/${input.kind}/${id}`;
    let run = this.#functions.get(key);
    if (run === undefined) {
      run = this.fused ? this.#generate(root, input) : this.#link(root, input);
      this.#functions.set(key, run);
    }
    return run;
  }

  #generate(root: number, input: SegmentInput): SegmentFunction {
    const tag = `stage ${this.#name}, segment ${root}, ${input.kind}, ${++generated}`;
    const text = emitSegment(this.#bindings.stage, root, input, tag);
    if (process.env['SAGE_DEBUG_CODEGEN'] === '1') process.stderr.write(`${text}\n\n`);
    return new Function('R', `${text}\n//# sourceURL=sage-kernel/${encodeURIComponent(tag)}`)(this.#bindings) as SegmentFunction;
  }

  #link(root: number, input: SegmentInput): SegmentFunction {
    const { control, counts, linked } = this.#bindings;
    const { emit } = linked[root]!;
    const push = (value: unknown, key: unknown): boolean => {
      counts[root]!++;
      const pushed = emit(value, key);
      if (pushed === undefined) return control.stop;
      control.suspend(-1, pushed, undefined, undefined, []);
      return true;
    };
    switch (input.kind) {
      case 'array':
        return (source, start, end) => {
          for (let i = start; i < end; i++) if (push((source as unknown[])[i], undefined)) return i + 1;
          return end;
        };
      case 'iterator':
        return (source, start, end) => {
          for (let i = start; i < end; i++) {
            const next = this.#pull(root, () => (source as Iterator<unknown>).next());
            if (isThenable(next)) {
              control.pulled = next;
              return i;
            }
            if (next.done === true) {
              control.ended = true;
              return i;
            }
            if (push(next.value, undefined)) return i + 1;
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
            if (push(pulled, undefined)) return i + 1;
          }
          return end;
        };
      default:
        return (source, start, end, keys) => {
          const reader = source as BatchReader;
          const read = linkRows(input, reader, keys);
          for (let i = start; i < end; i++) if (push(read.record(i), read.key?.(i))) return i + 1;
          return end;
        };
    }
  }

  #pull<T>(root: number, pull: () => T): T {
    try {
      return pull();
    } catch (error) {
      throw this.#bindings.control.failed(error, root, [undefined], 0);
    }
  }
}

/** Readers of the rows of a batch, without generated code. */
export function linkRows(
  input: Exclude<SegmentInput, { kind: 'array' | 'iterator' | 'function' }>,
  reader: BatchReader,
  keys: readonly unknown[] | undefined,
): { record: (row: number) => unknown; key: ((row: number) => unknown) | undefined } {
  const decoder = linkDecoder(input.plan, reader);
  if (input.kind === 'batch') return decoder;
  const columns = linkTupleColumns(input.plan, reader);
  const record = (row: number): unknown => {
    const result: Record<string, unknown> = {};
    if (input.keyed) result['key'] = keys === undefined ? decoder.key?.(row) : keys[row];
    input.names.forEach((name, n) => {
      result[name] = columns[n]!(row);
    });
    return result;
  };
  return { record, key: undefined };
}
