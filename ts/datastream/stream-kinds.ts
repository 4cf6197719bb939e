import type { SourceLocation } from '../common/source-location.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import type { KeyedRoutedStream } from './keyed-routed-stream.ts';
import type { KeyedStream } from './keyed-stream.ts';
import type { WindowSettings } from '../transformations/window-transformation.ts';
import type { BroadcastConnectedStreams, BroadcastStream } from './broadcast-stream.ts';
import type { ConnectedStreams } from './connected-streams.ts';
import type { DataStream } from './data-stream.ts';
import type { RoutedStream } from './routed-stream.ts';
import type { StreamBase } from './stream-base.ts';
import type { WindowedStream } from './windowed-stream.ts';

/** How `DataStream` makes the streams that extend it: their modules cannot be imported where their base class is defined. */
export interface StreamKinds {
  readonly keyed: (environment: StreamEnvironment, transformation: BaseTransformation) => KeyedStream<unknown, unknown>;
  readonly routed: (environment: StreamEnvironment, transformation: BaseTransformation) => RoutedStream<unknown>;
  readonly keyedRouted: (environment: StreamEnvironment, transformation: BaseTransformation) => KeyedRoutedStream<unknown, unknown>;
  /** Streams of one environment. */
  readonly connected: (streams: readonly DataStream<unknown>[]) => ConnectedStreams<readonly unknown[], unknown>;
  readonly broadcast: (stream: DataStream<unknown>) => BroadcastStream<unknown>;
  /** Streams of one environment. */
  readonly broadcastConnected: (stream: DataStream<unknown>, broadcast: DataStream<unknown>) => BroadcastConnectedStreams<unknown, unknown>;
  /** Sends the records of a stream back to where a future was made of them. */
  readonly fillFuture: (stream: StreamBase, future: unknown, declaredAt: SourceLocation) => BaseTransformation;
  readonly windowed: (stream: DataStream<unknown>, settings: WindowSettings) => WindowedStream<unknown, unknown>;
}

let known: Partial<StreamKinds> = {};

/** Adds kinds of streams; each module of one calls it once. */
export function registerStreamKinds(kinds: Partial<StreamKinds>): void {
  known = { ...known, ...kinds };
}

/** All kinds of streams. Import streams from `streams.ts`, which loads them. */
export function streamKinds(): StreamKinds {
  const { keyed, routed, keyedRouted, connected, broadcast, broadcastConnected, fillFuture, windowed } = known;
  if (keyed === undefined || routed === undefined || keyedRouted === undefined || connected === undefined || broadcast === undefined || broadcastConnected === undefined || fillFuture === undefined || windowed === undefined) {
    throw new TypeError("import streams from 'datastream/streams.ts'");
  }
  return { keyed, routed, keyedRouted, connected, broadcast, broadcastConnected, fillFuture, windowed };
}
