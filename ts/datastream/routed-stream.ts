import { captureSourceLocation } from '../common/source-location.ts';
import { SideOutputTransformation } from '../transformations/side-output-transformation.ts';
import { DataStream } from './data-stream.ts';
import { checkText } from './plan-checks.ts';
import { registerStreamKinds } from './stream-kinds.ts';

/** The stream behind a `route` without branches: it has every record, and `to` has those of one name. */
export class RoutedStream<out T> extends DataStream<T> {
  /** The records that the router sends to `name`. A record may have several names; calling `to` twice gives both all of them. */
  to(name: string): DataStream<T> {
    const declaredAt = captureSourceLocation(this.to);
    const branch = new SideOutputTransformation(this.transformation, 'branch', checkText(name, 'to', declaredAt), declaredAt);
    this.environment.add(branch);
    return new DataStream(this.environment, branch);
  }
}

registerStreamKinds({ routed: (environment, transformation) => new RoutedStream(environment, transformation) });
