// The examples that write to databases, also as processes that are killed while they write, and started again.
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';

import { runScript, type ScriptOutcome } from '../../e2e/support/run-script.ts';
import { dataset, exampleFolder, TIMEOUT_MS } from './example-run.ts';

const { run, pathOf } = exampleFolder();

const script = fileURLToPath(new URL('exactly-once/sink-script.ts', import.meta.url));
const RECORDS = 6000;
const numbers = Array.from({ length: RECORDS }, (_, n) => n);
/** Processes that start one after the other, on a busy machine. */
const KILLS_TIMEOUT_MS = 240_000;
/** Where the sink is when its process is killed, one process after the other, and the how manieth time that is; by the number of instances. */
const KILLS: Readonly<Record<number, readonly (readonly [point: string, nth: number])[]>> = {
  1: [
    ['after prepare', 2],
    ['before commit', 1],
    ['in commit', 1],
    ['after commit', 2],
    ['before prepare', 2],
    ['before the last commit', 1],
    ['after the last commit', 1],
  ],
  2: [
    ['after prepare', 3],
    ['in commit', 2],
    ['before the last commit', 1],
  ],
};
/** Of a database to test with. */
const url = process.env['SAGE_POSTGRES_URL'] ?? '';
const isSkipped = url === '';
const skipped = isSkipped ? ' (skipped: SAGE_POSTGRES_URL names no database)' : '';

/** Kills process after process, and lets the last one come to its end. */
async function killAgainAndAgain(target: readonly string[], instances: number): Promise<void> {
  const kills = KILLS[instances]!;
  const args = [...target, String(instances), String(RECORDS)];
  const outcomes: ScriptOutcome[] = [];
  for (const [point, nth] of [...kills, []] as const) outcomes.push(await runScript(script, point === undefined ? args : [...args, point, String(nth)]));
  expect(outcomes.map(({ stderr }) => stderr).join('')).toBe('');
  // Each process got to its point, but for the last one.
  expect(outcomes.map(({ signal }) => signal)).toEqual([...kills.map(() => 'SIGKILL'), null]);
  expect(outcomes.at(-1)!.stdout).toMatch(/^finished from [1-9]\d*, exactlyOnce\n$/);
}

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

/** As texts, in an order of their own. */
function flightsOfData(): readonly string[] {
  const flights = JSON.parse(dataset('flights-20k.json')) as Flight[];
  return flights.map(({ date, delay, origin, destination }) => `${date} ${delay} ${origin} to ${destination}`).toSorted();
}

describe('exactly-once-sqlite', () => {
  test('writes each flight once, also when it is run again', { timeout: 2 * TIMEOUT_MS }, () => {
    expect(run('exactly-once-sqlite')).toBe('20000 flights in the table, exactlyOnce\n');
    expect(run('exactly-once-sqlite')).toBe('20000 flights in the table, exactlyOnce\n');
    const database = new DatabaseSync(pathOf('out/exactly-once-sqlite/flights.db'), { readOnly: true });
    const rows = database.prepare("SELECT date || ' ' || delay || ' ' || route AS flight FROM flights").all();
    database.close();
    expect(rows.map(({ flight }) => String(flight)).toSorted()).toEqual(flightsOfData());
  });

  test.each([1, 2])('given a process that is killed at each point of its sink, when it goes on from the newest checkpoint, then each record is there once (parallelism %i)', { timeout: KILLS_TIMEOUT_MS }, async (instances) => {
    const file = pathOf(`numbers-${instances}.db`);
    await killAgainAndAgain(['sqlite', file, pathOf(`checkpoints-${instances}`)], instances);
    const database = new DatabaseSync(file, { readOnly: true });
    const rows = database.prepare('SELECT n FROM numbers ORDER BY n').all();
    const { commits } = database.prepare('SELECT count(*) AS commits FROM sage_commits').get() as { commits: number };
    database.close();
    expect(rows.map(({ n }) => n)).toEqual(numbers);
    expect(commits).toBeGreaterThan(4);
  });
});

describe('exactly-once-postgres', () => {
  async function query<R extends object>(sql: string): Promise<R[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<R>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  test.skipIf(isSkipped)(`writes each flight once, also when it is run again${skipped}`, { timeout: 2 * TIMEOUT_MS }, async () => {
    await query('DROP TABLE IF EXISTS flights_once');
    expect(run('exactly-once-postgres')).toBe('20000 flights in the table, exactlyOnce\n');
    expect(run('exactly-once-postgres')).toBe('20000 flights in the table, exactlyOnce\n');
    const rows = await query<{ flight: string }>("SELECT date || ' ' || delay || ' ' || route AS flight FROM flights_once");
    expect(rows.map(({ flight }) => flight).toSorted()).toEqual(flightsOfData());
  });

  test.skipIf(isSkipped).each([1, 2])(`given a process that is killed at each point of its sink, when it goes on from the newest checkpoint, then each record is there once (parallelism %i)${skipped}`, { timeout: KILLS_TIMEOUT_MS }, async (instances) => {
    await query('DROP TABLE IF EXISTS numbers');
    await killAgainAndAgain(['postgres', url, pathOf(`postgres-checkpoints-${instances}`)], instances);
    expect((await query<{ n: number }>('SELECT n FROM numbers ORDER BY n')).map(({ n }) => n)).toEqual(numbers);
  });
});
