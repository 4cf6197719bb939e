// Three jobs, one after the other and side by side; then there is nothing left to do and the process must end.
import { LocalEnvironment } from '../../../ts/index.ts';

const env = new LocalEnvironment('first');
env.fromCollection([1, 2, 3]).sink(() => undefined);
await env.submit({ autostop: true });

const [second, third] = [new LocalEnvironment('second'), new LocalEnvironment('third')];
second.fromSource(async function* () {
  yield* [1, 2];
}).sink(() => undefined);
third.fromCollection([1]).keyBy((n) => n).reduce((a) => a).sink(() => undefined);
const jobs = await Promise.all([second.submit(), third.submit()]);
// Nobody awaits them: a running job alone keeps the process alive, an ended one does not.
for (const job of jobs) void job.completion.then((result) => console.log(job.name, result.status));
