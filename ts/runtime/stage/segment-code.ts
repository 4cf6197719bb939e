import type { SegmentInput } from '../../compiler/codegen/segment-input.ts';
import { emitSegment } from '../../compiler/codegen/segment.ts';
import type { Stage } from '../../compiler/physical-plan.ts';
import { functionSource, type UserFunction } from '../../functions/user-function.ts';
import { Segment, type SegmentFunction } from './segment.ts';
import type { StageBindings } from './stage-bindings.ts';

/** What `new Function` makes: binds the segment to one task. */
type SegmentFactory = (bindings: StageBindings) => SegmentFunction;

/** Pipelines that are submitted again and again keep their compiled code; beyond this many segments the oldest goes. */
const MAX_FACTORIES = 512;
const factories = new Map<string, SegmentFactory>();
let compiled = 0;

/** Compiles the segments of a stage, or takes those that an earlier run of the same pipeline has left. */
export class SegmentCode {
  readonly #bindings: StageBindings;
  readonly #name: string;
  readonly #pipeline: string;

  constructor(bindings: StageBindings, name: string) {
    this.#bindings = bindings;
    this.#name = name;
    this.#pipeline = pipelineKey(bindings.stage);
  }

  /** The segment of a root for one form of input. */
  segment(root: number, input: SegmentInput): Segment {
    const key = `${emitSegment(this.#bindings.stage, root, input, this.#name)}\0${this.#pipeline}`;
    const known = factories.get(key);
    if (known !== undefined) return new Segment(known(this.#bindings), () => this.#compile(root, input)(this.#bindings));
    const factory = this.#compile(root, input);
    const oldest = factories.size < MAX_FACTORIES ? undefined : factories.keys().next().value;
    if (oldest !== undefined) factories.delete(oldest);
    factories.set(key, factory);
    return new Segment(factory(this.#bindings));
  }

  /** Code of its own: the tag makes its text different from every other one. */
  #compile(root: number, input: SegmentInput): SegmentFactory {
    const tag = `${this.#name} #${++compiled}`;
    const text = `${emitSegment(this.#bindings.stage, root, input, tag)}\n//# sourceURL=sage-kernel/${encodeURIComponent(tag)}`;
    if (process.env['SAGE_DEBUG_CODEGEN'] === '1') process.stderr.write(`${text}\n\n`);
    return new Function('R', text) as SegmentFactory;
  }
}

/**
 * What tells one pipeline's code from another's with an equal text: the user's functions and where they were declared.
 * Equal keys share compiled code and type feedback, which is right for two runs of one pipeline and for nothing else.
 */
function pipelineKey(stage: Stage): string {
  return stage.nodes
    .map(({ operator: { transformation }, op }) => {
      const { file, line, column } = transformation.declaredAt;
      const fn = 'fn' in op ? op.fn : op.kind === 'keyBy' ? op.selector : undefined;
      return `${file}:${line}:${column}:${isUserFunction(fn) ? functionSource(fn) : ''}`;
    })
    .join('\0');
}

/** What is no function (a path, an expression) stands in the text itself. */
function isUserFunction(fn: object | undefined): fn is UserFunction {
  return fn !== undefined && 'method' in fn;
}
