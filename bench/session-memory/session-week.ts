// Sessions over two weeks of event time, in the core and in JavaScript: every day has users of its own, whose sessions close. Memory after each
// day, once garbage is collected, must not grow in the second week: in the first one the allocator still takes its share. Fails with exit code 1 when it does.
// `node_modules/.bin/node --expose-gc bench/session-memory/session-week.ts [clicks a day]`

import { LocalEnvironment, count, session } from '../../ts/index.ts';

interface Click {
  readonly user: string;
  readonly at: number;
}

const WEEK = 7;
const DAYS = 2 * WEEK;
const DAY_MS = 86_400_000;
const CLICKS_A_SESSION = 5;
const GAP_MS = 30 * 60_000;
/** What the collector and the allocator leave uncertain. */
const MOST_GROWTH_MIB = 16;

const clicksADay = Number(process.argv[2] ?? 200_000);
const users = Math.ceil(clicksADay / CLICKS_A_SESSION);
const { gc } = globalThis;
if (gc === undefined) throw new Error('run it with --expose-gc');

async function measure(keeper: 'core' | 'JavaScript'): Promise<boolean> {
  const residentMiB: number[] = [];
  const heapMiB: number[] = [];
  async function* clicks(): AsyncGenerator<Click> {
    for (let day = 0; day < DAYS; day++) {
      for (let n = 0; n < clicksADay; n++) {
        // A user's clicks follow each other; so many users are at it at a time that sessions overlap.
        const user = Math.floor(n / (100 * CLICKS_A_SESSION)) * 100 + (n % 100);
        yield { user: `day ${day} user ${user}`, at: day * DAY_MS + Math.floor((n / clicksADay) * DAY_MS) };
      }
      await new Promise(setImmediate);
      gc!();
      const { rss, heapUsed } = process.memoryUsage();
      residentMiB.push(Math.round(rss / 2 ** 20));
      heapMiB.push(Math.round(heapUsed / 2 ** 20));
    }
  }
  let sessions = 0;
  let taken = 0;
  const env = new LocalEnvironment('week');
  const windows = env.fromSource(clicks).assignTimestamps('at', { outOfOrdernessMs: 60_000 }).keyBy('user').window(session(GAP_MS));
  const add = (n: number): void => {
    sessions++;
    taken += n;
  };
  if (keeper === 'core') windows.aggregate({ n: count() }).sink(({ n }) => add(n));
  else windows.map(({ elements }) => elements.length).sink(add);
  await env.submit({ autostop: true });
  if (taken !== DAYS * clicksADay || sessions < DAYS * users) throw new Error(`${taken} clicks in ${sessions} sessions, and not ${DAYS * clicksADay} in at least ${DAYS * users}`);
  const growthMiB = residentMiB.at(-1)! - residentMiB[WEEK]!;
  console.log(`${keeper}: ${sessions} sessions of ${taken} clicks; resident after each day ${residentMiB.join(', ')} MiB, heap ${heapMiB.join(', ')} MiB; growth in the second week ${growthMiB} MiB, at most ${MOST_GROWTH_MIB}`);
  return growthMiB <= MOST_GROWTH_MIB;
}

const isFlat = [await measure('core'), await measure('JavaScript')];
process.exitCode = isFlat.every(Boolean) ? 0 : 1;
