/** A program with a job that it sees fail, and one that goes well. */
import { LocalEnvironment } from '../../../../ts/index.ts';

const bad = new LocalEnvironment('bad');
bad
  .fromCollection([1])
  .map((): number => {
    throw new TypeError('never');
  })
  .sink(() => undefined);
await bad.submit({ autostop: true }).catch((error: unknown) => console.log('expected:', (error as Error).message));

const good = new LocalEnvironment('good');
good.fromCollection([1, 2]).sink(() => undefined);
await good.submit({ autostop: true });
