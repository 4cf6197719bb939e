import { captureSourceLocation } from '../common/source-location.ts';
import { SideOutputTransformation } from '../transformations/side-output-transformation.ts';
import { KeyedStream } from './keyed-stream.ts';
import { checkText } from './plan-checks.ts';
import { registerStreamKinds } from './stream-kinds.ts';

/** A `RoutedStream` of keyed records: the branches carry the key too. */
export class KeyedRoutedStream<out K, out T> extends KeyedStream<K, T> {
  /** The records that the router sends to `name`. A record may have several names; calling `to` twice gives both all of them. */
  to(name: string): KeyedStream<K, T> {
    const declaredAt = captureSourceLocation(this.to);
    const branch = new SideOutputTransformation(this.transformation, 'branch', checkText(name, 'to', declaredAt), declaredAt);
    return new KeyedStream(this.environment, this.environment.add(branch));
  }
}

registerStreamKinds({ keyedRouted: (environment, transformation) => new KeyedRoutedStream(environment, transformation) });
