import { captureSourceLocation } from '../common/source-location.ts';
import { BroadcastProcessFunction } from '../functions/broadcast-process-function.ts';
import { toUserFunction } from '../functions/check-user-function.ts';
import { KeyedBroadcastProcessFunction } from '../functions/keyed-broadcast-process-function.ts';
import { BroadcastProcessTransformation } from '../transformations/broadcast-process-transformation.ts';
import { KeyedProcessTransformation } from '../transformations/keyed-process-transformation.ts';
import { DataStream } from './data-stream.ts';
import { checkKeyed, extendsBase } from './keyed-process-argument.ts';
import type { ClassOf, ProcessesBroadcast, ProcessesKeyedBroadcast } from './record-types.ts';
import { registerStreamKinds } from './stream-kinds.ts';

/** A stream whose records go to all parallel instances of what it is connected to: `stream.connect(rules.broadcast()).process(Class)`. */
export class BroadcastStream<out T> {
  /** The stream without that. */
  readonly stream: DataStream<T>;

  /** Streams create it; users get it from `broadcast`. */
  constructor(stream: DataStream<T>) {
    this.stream = stream;
  }
}

/** A stream, and one whose records go to all instances. `K` is the type of the stream's key. */
export class BroadcastConnectedStreams<out T, out B, out K = unknown> {
  /** Only for the type; never set. */
  declare readonly key?: K;
  readonly #stream: DataStream<T>;
  readonly #broadcast: DataStream<B>;

  /** Streams create it; users get it from `connect`. */
  constructor(stream: DataStream<T>, broadcast: DataStream<B>) {
    this.#stream = stream;
    this.#broadcast = broadcast;
  }

  /**
   * What a class that extends {@link BroadcastProcessFunction} collects; or, on a keyed stream, one that extends
   * {@link KeyedBroadcastProcessFunction}, which has state and timers for each key. Results carry no key. They have event time when both
   * streams have it, and then that of the stream that is less far: give a broadcast stream that may stand still an `idleMs`.
   *
   * @throws SageError SAGE_PLAN_FUNCTION for anything else; SAGE_PLAN_NOT_KEYED, SAGE_PLAN_KEY_STRATEGY for a keyed function where records have
   * no key, or not at one instance
   */
  process<Out, A extends readonly unknown[]>(Class: ClassOf<ProcessesKeyedBroadcast<K, T, B, Out>, A>, ...args: NoInfer<A>): DataStream<Out>;
  process<Out, A extends readonly unknown[]>(Class: ClassOf<ProcessesBroadcast<T, B, Out>, A>, ...args: NoInfer<A>): DataStream<Out>;
  process<Out>(instance: ProcessesKeyedBroadcast<K, T, B, Out>): DataStream<Out>;
  process<Out>(instance: ProcessesBroadcast<T, B, Out>): DataStream<Out>;
  process(value: unknown, ...args: readonly unknown[]): DataStream<never> {
    const declaredAt = captureSourceLocation(this.process);
    const { environment, transformation } = this.#stream;
    const broadcast = this.#broadcast.transformation;
    const fn = toUserFunction(value, args, { call: 'process', bases: [BroadcastProcessFunction, KeyedBroadcastProcessFunction], needsBase: true, otherMethod: 'executeBroadcast', declaredAt });
    if (!extendsBase(value, KeyedBroadcastProcessFunction)) return new DataStream(environment, environment.add(new BroadcastProcessTransformation(transformation, broadcast, fn, declaredAt)));
    checkKeyed(transformation, value, 'a KeyedBroadcastProcessFunction', declaredAt);
    return new DataStream(environment, environment.add(new KeyedProcessTransformation([transformation, broadcast], fn, 'broadcast', declaredAt)));
  }
}

registerStreamKinds({ broadcast: (stream) => new BroadcastStream(stream), broadcastConnected: (stream, broadcast) => new BroadcastConnectedStreams(stream, broadcast) });
