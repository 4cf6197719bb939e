// A job that fails and that nobody looks at: the process must say so and exit with 1.
import { LocalEnvironment } from '../../../ts/index.ts';

const env = new LocalEnvironment('unwatched');
env.fromCollection([1, 2]).map((n) => {
  if (n === 2) throw new RangeError('two is too many');
  return n;
}).sink(() => undefined);
await env.submit();
