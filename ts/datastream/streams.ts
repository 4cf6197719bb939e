/** The streams, in the order in which their modules have to be loaded. */
export { DataStream } from './data-stream.ts';
export { KeyedStream } from './keyed-stream.ts';
export { KeyedRoutedStream } from './keyed-routed-stream.ts';
export { RoutedStream } from './routed-stream.ts';
export { ConnectedStreams } from './connected-streams.ts';
export { WindowedStream } from './windowed-stream.ts';
