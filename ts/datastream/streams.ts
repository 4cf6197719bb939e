/** The streams, in the order in which their modules have to be loaded. */
export { DataStream } from './data-stream.ts';
export { KeyedStream } from './keyed-stream.ts';
export { KeyedRoutedStream } from './keyed-routed-stream.ts';
export { RoutedStream } from './routed-stream.ts';
export { BroadcastConnectedStreams, BroadcastStream } from './broadcast-stream.ts';
export { ConnectedStreams } from './connected-streams.ts';
export { FutureStream } from './future-stream.ts';
export { WindowedStream } from './windowed-stream.ts';
