// A job whose worker takes all memory that it can get, and another one behind it.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { SageError } from '../../../ts/index.ts';
import { INSTANCES, type Moment, dying } from '../pipelines/dying.ts';
import { Lives } from '../support/lives.ts';

const [folder = '', at = 'execute'] = process.argv.slice(2);
const lives = Lives.buffer(INSTANCES);

const job = await dying.submit({ death: 'runs out of memory', at: at as Moment, out: join(folder, 'out.jsonl'), lives });
const error = await job.completion.then(
  () => undefined,
  (reason: unknown) => reason as SageError,
);
console.log(
  JSON.stringify({
    code: error?.code,
    message: error?.message,
    cause: (error?.cause as { code?: string } | undefined)?.code,
    status: job.status,
    survivors: Array.from({ length: INSTANCES - 1 }, (_, instance) => new Lives(lives).of(instance)),
    files: readdirSync(folder),
  }),
);

const { status, recordsOut } = await dying.run({ death: 'none', at: 'execute', out: join(folder, 'next.jsonl'), lives: Lives.buffer(INSTANCES), records: 10_000 });
console.log(JSON.stringify({ status, recordsOut, files: readdirSync(folder) }));
