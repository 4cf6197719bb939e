// A job that fails with nobody waiting for it, in an environment that has a logger.
import { destination, pino } from 'pino';

import { LocalEnvironment } from '../../../ts/index.ts';

const env = new LocalEnvironment('unwatched', { logger: pino(destination({ fd: 2, sync: true })) });
env
  .fromCollection([1, 2])
  .map((n) => {
    if (n === 2) throw new RangeError('two is too many');
    return n;
  })
  .sink(() => {});
await env.submit();
