// An endless job over threads into a file. What happens to it is said on standard output; signals come from outside.
import type { JobMetrics } from '../../../ts/index.ts';
import { type Death, INSTANCES, dying } from '../pipelines/dying.ts';
import { Lives } from '../support/lives.ts';

const [out = '', death = 'none', own] = process.argv.slice(2);
if (own === 'listens') process.on('SIGINT', () => console.log('heard'));

const lives = Lives.buffer(INSTANCES);
const job = await dying.submit({ death: death as Death, at: 'execute', out, lives });

const taken = ({ operators }: JobMetrics): number => operators.at(-1)!.recordsIn;
let said = '';
const say = (what: string): void => {
  if (said !== what) console.log(what);
  said = what;
};
const watch = setInterval(() => {
  if (job.status === 'running' && (death === 'none' ? taken(job.metrics()) > 10_000 : new Lives(lives).deathHasBegun)) say('running');
  if (job.status === 'stopping') say('stopping');
}, 2);
const { status, recordsIn, recordsOut, isolates } = await job.completion;
clearInterval(watch);
console.log(JSON.stringify({ status, recordsIn, recordsOut, isolates, lives: Array.from({ length: INSTANCES }, (_, n) => new Lives(lives).of(n)) }));
if (own === 'listens') process.exitCode = 7;
