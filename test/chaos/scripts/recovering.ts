// A run whose threads die, in a process of its own: [folder, death, seed] are the arguments.
import { join } from 'node:path';

import type { Death } from '../pipelines/recovering.ts';
import { recover } from '../support/recover.ts';

const [folder = '', death = '', seed = ''] = process.argv.slice(2);
const recovered = await recover({
  deaths: [death as Death],
  seed: Number(seed),
  dir: join(folder, 'checkpoints'),
  out: join(folder, 'out.jsonl'),
  parallelism: 1,
  options: { isolated: true },
});
const { result, errors, noticedMs, restoredEpochs } = recovered;
console.log(JSON.stringify({ status: result.status, restarts: result.restarts, codes: errors.map(({ code }) => code), noticedMs, restoredEpochs }));
