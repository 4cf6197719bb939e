// Processes that are killed while they write to a database, and started again.
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { runScript, type ScriptOutcome } from '../support/run-script.ts';
import { Workplace } from './interrupted.ts';

const script = fileURLToPath(new URL('scripts/sink-script.ts', import.meta.url));
const RECORDS = 6000;
const expected = Array.from({ length: RECORDS }, (_, n) => n);
/** Processes that start one after the other, on a busy machine. */
const TIMEOUT_MS = 240_000;
/** Where the sink is when its process is killed, one process after the other, and the how manieth time that is. */
const KILLS: readonly (readonly [point: string, nth: number])[] = [
  ['after prepare', 2],
  ['before commit', 1],
  ['in commit', 1],
  ['after commit', 2],
  ['before prepare', 2],
  ['before the last commit', 1],
  ['after the last commit', 1],
];
/** Of a database to test with. */
const postgres = process.env['SAGE_POSTGRES_URL'] ?? '';

/** Kills process after process, lets the last one come to its end, and gives what each has said. */
async function killedAgainAndAgain(args: (kill: readonly string[]) => readonly string[]): Promise<readonly ScriptOutcome[]> {
  const outcomes: ScriptOutcome[] = [];
  for (const [point, nth] of KILLS) outcomes.push(await runScript(script, args([point, String(nth)])));
  outcomes.push(await runScript(script, args([])));
  return outcomes;
}

function expectKilled(outcomes: readonly ScriptOutcome[]): void {
  expect(outcomes.map(({ stderr }) => stderr).join('')).toBe('');
  // Each process got to its point, but for the last one.
  expect(outcomes.map(({ signal }) => signal)).toEqual([...KILLS.map(() => 'SIGKILL'), null]);
  expect(outcomes.at(-1)!.stdout).toMatch(/^finished from [1-9]\d*, exactlyOnce\n$/);
}

describe('a process that writes to SQLite', () => {
  it.each([1, 2])('given that it is killed at each point of its sink, when it goes on from the newest checkpoint, then each record is there once (parallelism %i)', async (instances) => {
    using place = new Workplace();
    const file = place.path('numbers.db');
    expectKilled(await killedAgainAndAgain((kill) => ['sqlite', file, place.path('checkpoints'), String(instances), String(RECORDS), ...kill]));
    using database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare('SELECT n FROM numbers ORDER BY n').all().map((row) => row['n'])).toEqual(expected);
    const { commits } = database.prepare('SELECT count(*) AS commits FROM sage_commits').get() as { commits: number };
    expect(commits).toBeGreaterThan(4);
  }, TIMEOUT_MS);
});

describe.skipIf(postgres === '')(`a process that writes to PostgreSQL${postgres === '' ? ' (skipped: SAGE_POSTGRES_URL names no database)' : ''}`, () => {
  it.each([1, 2])('given that it is killed at each point of its sink, when it goes on from the newest checkpoint, then each record is there once (parallelism %i)', async (instances) => {
    using place = new Workplace();
    const { Client } = await import('pg');
    const client = new Client({ connectionString: postgres });
    await client.connect();
    try {
      await client.query('DROP TABLE IF EXISTS numbers');
      expectKilled(await killedAgainAndAgain((kill) => ['postgres', postgres, place.path('checkpoints'), String(instances), String(RECORDS), ...kill]));
      const { rows } = await client.query<{ n: number }>('SELECT n FROM numbers ORDER BY n');
      expect(rows.map(({ n }) => n)).toEqual(expected);
    } finally {
      await client.end();
    }
  }, TIMEOUT_MS);
});
