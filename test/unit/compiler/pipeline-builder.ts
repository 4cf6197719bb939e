import type { SourceLocation } from '../../../ts/common/source-location.ts';
import { compileFieldPath } from '../../../ts/functions/field-path.ts';
import { lambdaFunction, type UserFunction } from '../../../ts/functions/user-function.ts';
import { AggregateTransformation, type AnyAggregator } from '../../../ts/transformations/aggregate-transformation.ts';
import { BaseTransformation, type Parallelism } from '../../../ts/transformations/base-transformation.ts';
import type { Emit } from '../../../ts/transformations/emit.ts';
import { FilterTransformation } from '../../../ts/transformations/filter-transformation.ts';
import { FlatMapTransformation } from '../../../ts/transformations/flat-map-transformation.ts';
import { KeyByTransformation, type KeyStrategy } from '../../../ts/transformations/key-by-transformation.ts';
import { MapTransformation } from '../../../ts/transformations/map-transformation.ts';
import { ReduceTransformation } from '../../../ts/transformations/reduce-transformation.ts';
import type { SinkDescriptor } from '../../../ts/transformations/sink-descriptor.ts';
import { SinkTransformation } from '../../../ts/transformations/sink-transformation.ts';
import type { NativeSourceSpec, SourceDescriptor } from '../../../ts/transformations/source-descriptor.ts';
import { SourceTransformation } from '../../../ts/transformations/source-transformation.ts';
import { UnionTransformation } from '../../../ts/transformations/union-transformation.ts';

/** What a call of a stream's modifiers would have set. */
interface Properties {
  readonly name?: string;
  readonly uid?: string;
  readonly parallelism?: Parallelism;
  readonly inMain?: boolean;
}

const identity: UserFunction = lambdaFunction((record: never) => record);

/**
 * Builds `env.pipeline` without an environment: the compiler's tests do not depend on the layers above it. The n-th
 * operator is declared in line n + 1 of `pipeline.ts`, a file that does not exist.
 */
export class PipelineBuilder {
  readonly pipeline: BaseTransformation[] = [];

  source(source: SourceDescriptor, properties: Properties = {}): SourceTransformation {
    return this.#add(new SourceTransformation(source, this.#here()), properties);
  }

  collection(items: readonly unknown[] = [1, 2, 3], properties: Properties = {}): SourceTransformation {
    return this.source({ form: 'collection', items, bounded: true }, properties);
  }

  generator(properties: Properties = {}, bounded = true): SourceTransformation {
    const open = (): Iterator<unknown> => [1, 2, 3].values();
    return this.source({ form: 'iterable', name: 'generator numbers', open, async: 'no', replay: 'again', bounded }, properties);
  }

  asyncGenerator(properties: Properties = {}): SourceTransformation {
    const open = async function* (): AsyncGenerator<number> {
      yield 1;
    };
    return this.source({ form: 'iterable', name: 'generator numbers', open, async: 'yes', replay: 'again', bounded: true }, properties);
  }

  file(spec: NativeSourceSpec, properties: Properties = {}, splittable = true): SourceTransformation {
    return this.source({ form: 'native', spec, bounded: true, splittable }, properties);
  }

  map(input: BaseTransformation, properties: Properties = {}, fn: UserFunction = identity): MapTransformation {
    return this.#add(new MapTransformation(input, fn, this.#here()), properties);
  }

  flatMap(input: BaseTransformation, properties: Properties = {}, fn: UserFunction = identity): FlatMapTransformation {
    return this.#add(new FlatMapTransformation(input, fn, this.#here()), properties);
  }

  filter(input: BaseTransformation, properties: Properties = {}, fn: UserFunction = identity): FilterTransformation {
    return this.#add(new FilterTransformation(input, fn, this.#here()), properties);
  }

  keyBy(
    input: BaseTransformation,
    properties: Properties & { readonly strategy?: KeyStrategy; readonly path?: string } = {},
  ): KeyByTransformation {
    const selector = properties.path === undefined ? identity : compileFieldPath(properties.path);
    return this.#add(new KeyByTransformation(input, selector, properties.strategy ?? 'hash', this.#here()), properties);
  }

  reduce(input: BaseTransformation, properties: Properties & { readonly emit?: Emit } = {}): ReduceTransformation {
    const fn = lambdaFunction((one: never, two: never) => [one, two]);
    return this.#add(new ReduceTransformation(input, fn, properties.emit ?? 'final', this.#here()), properties);
  }

  aggregate(
    input: BaseTransformation,
    spec: Readonly<Record<string, AnyAggregator>>,
    properties: Properties & { readonly emit?: Emit } = {},
  ): AggregateTransformation {
    return this.#add(new AggregateTransformation(input, spec, properties.emit ?? 'final', this.#here()), properties);
  }

  union(inputs: readonly BaseTransformation[], properties: Properties = {}): UnionTransformation {
    return this.#add(new UnionTransformation(inputs, this.#here()), properties);
  }

  sink(input: BaseTransformation, properties: Properties = {}, sink: SinkDescriptor = { form: 'array', target: [] }): SinkTransformation {
    return this.#add(new SinkTransformation(input, sink, 'sink', this.#here()), properties);
  }

  #here(): SourceLocation {
    return { file: 'pipeline.ts', line: this.pipeline.length + 1, column: 1 };
  }

  #add<X extends BaseTransformation>(transformation: X, { name, uid, parallelism, inMain }: Properties): X {
    BaseTransformation.place(transformation, this.pipeline.length);
    const taken = this.pipeline.filter((other) => other.kind === transformation.kind).length;
    transformation.name = name ?? (taken === 0 ? transformation.name : `${transformation.name}-${taken + 1}`);
    transformation.uid = uid;
    transformation.parallelism = parallelism;
    transformation.inMain = inMain;
    this.pipeline.push(transformation);
    return transformation;
  }
}
