// A job whose second instance comes late and takes all memory that it can get.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import type { SageError } from '../../../ts/index.ts';
import type { Moment } from '../pipelines/dying.ts';
import { lateDeath } from '../pipelines/late-death.ts';
import { Lives } from '../support/lives.ts';

const [folder = '', at = 'execute'] = process.argv.slice(2);
const lives = Lives.buffer(availableParallelism());
const job = await lateDeath.submit({ death: 'runs out of memory', at: at as Moment, onError: 'skip', out: join(folder, 'out.jsonl'), lives });
const error = await job.completion.then(
  () => undefined,
  (reason: unknown) => reason as SageError,
);
console.log(JSON.stringify({ code: error?.code, message: error?.message, status: job.status, survivor: new Lives(lives).of(0), files: readdirSync(folder) }));
