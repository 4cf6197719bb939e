import { channel } from 'node:diagnostics_channel';

import type { SegmentInput } from '../../compiler/codegen/segment-input.ts';
import { emitSegment } from '../../compiler/codegen/segment.ts';
import type { Stage } from '../../compiler/physical-plan.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import { END } from '../../functions/source-function.ts';
import { functionSource } from '../../functions/user-function.ts';
import type { BatchReader } from '../codec/batch-reader.ts';
import { canGenerateCode } from '../codec/can-generate-code.ts';
import { linkDecoder, linkTupleColumns } from '../codec/linked-decoder.ts';
import { iteratorResult } from './iterator-result.ts';
import { isThenable } from './linked-node.ts';
import { Quota } from './quota.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';

/** Runs the rows `start .. end` of a source and returns the first row that it has not taken. */
export type SegmentFunction = (source: unknown, start: number, end: number, keys?: readonly unknown[]) => number;

/** One function of a stage, with what its records cost. */
export interface Segment {
  readonly run: SegmentFunction;
  readonly quota: Quota;
}

/** What `new Function` makes: binds the segment to one task. */
type SegmentFactory = (bindings: StageBindings) => SegmentFunction;

/** Told of each function that is made: benchmarks fail when one is not generated code. */
const segmentMade = channel('sage:segment:made');

/** Pipelines that are submitted again and again keep their compiled code; beyond this many segments the oldest goes. */
const MAX_FACTORIES = 512;
const factories = new Map<string, SegmentFactory>();
let compiled = 0;

/**
 * What tells one pipeline's code from another's with an equal text: the user's functions and where they were declared.
 * Equal keys share compiled code and type feedback, which is right for two runs of one pipeline and for nothing else.
 */
function pipelineKey(stage: Stage): string {
  return stage.nodes
    .map(({ operator: { transformation }, op }) => {
      const { file, line, column } = transformation.declaredAt;
      const fn = 'fn' in op ? op.fn : op.kind === 'keyBy' && !isFieldPath(op.selector) ? op.selector : undefined;
      return `${file}:${line}:${column}:${fn === undefined ? '' : functionSource(fn)}`;
    })
    .join('\0');
}

/** The functions of a stage's segments, made when they are first needed: one for each root, input form and layout. */
export class SegmentFunctions {
  readonly #bindings: StageBindings;
  readonly #name: string;
  readonly #pipeline: string;
  readonly #functions = new Map<string, Segment>();
  /** Whether the last function was generated; a linked one is slower and the job says so. */
  readonly fused: boolean = canGenerateCode();

  constructor(bindings: StageBindings, name: string) {
    this.#bindings = bindings;
    this.#name = name;
    this.#pipeline = pipelineKey(bindings.stage);
  }

  /** The function of a root for one form of input. `id` tells layouts apart. */
  get(root: number, input: SegmentInput, id: string): Segment {
    const key = `${root}/${input.kind}/${id}`;
    let segment = this.#functions.get(key);
    if (segment === undefined) {
      segment = { run: this.fused ? this.#generate(root, input) : this.#link(root, input), quota: new Quota() };
      this.#functions.set(key, segment);
      if (segmentMade.hasSubscribers) {
        segmentMade.publish({ stage: this.#name, root, input: input.kind, form: this.fused ? 'fused' : 'linked' });
      }
    }
    return segment;
  }

  #generate(root: number, input: SegmentInput): SegmentFunction {
    const body = emitSegment(this.#bindings.stage, root, input, this.#name);
    const key = `${body}\0${this.#pipeline}`;
    let factory = factories.get(key);
    if (factory === undefined) {
      const tag = `${this.#name} #${++compiled}`;
      const text = `${emitSegment(this.#bindings.stage, root, input, tag)}\n//# sourceURL=sage-kernel/${encodeURIComponent(tag)}`;
      if (process.env['SAGE_DEBUG_CODEGEN'] === '1') process.stderr.write(`${text}\n\n`);
      factory = new Function('R', text) as SegmentFactory;
      const oldest = factories.size < MAX_FACTORIES ? undefined : factories.keys().next().value;
      if (oldest !== undefined) factories.delete(oldest);
      factories.set(key, factory);
    }
    return factory(this.#bindings);
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
            const next = this.#pull(root, () => iteratorResult((source as Iterator<unknown>).next()));
            if (isThenable(next)) {
              control.pulled = next;
              return i;
            }
            if (next.done) {
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
      throw this.#bindings.control.threw(error, root, NO_RECORD);
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
