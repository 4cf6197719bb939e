// A job that writes numbers to a database, and goes on from its newest checkpoint: it kills itself at a point of the sink, or comes to its end.
import { writeSync } from 'node:fs';

import { LocalEnvironment, type Transaction } from 'sage-kernel';
import { SqliteSink } from '../../../../examples/exactly-once-sqlite/sqlite-sink.ts';

const [kind = '', target = '', dir = '', instances = '1', records = '0', point = '', nth = '1'] = process.argv.slice(2);

let left = Number(nth);

/** Ends the process, all of its threads, when this point is reached for the nth time. */
function reached(name: string): void {
  if (name === point && --left === 0) process.kill(process.pid, 'SIGKILL');
}

function isLast(rows: readonly object[]): boolean {
  return rows.some((row) => (row as { n: number }).n === Number(records) - 1);
}

class KilledSqlite extends SqliteSink {
  override prepare(): readonly object[] | undefined {
    reached('before prepare');
    const rows = super.prepare();
    if (rows !== undefined) reached('after prepare');
    return rows;
  }
  override commit(rows: readonly object[], transaction: Transaction): void {
    reached('before commit');
    if (isLast(rows)) reached('before the last commit');
    super.commit(rows, transaction);
    reached('after commit');
    if (isLast(rows)) reached('after the last commit');
  }
  protected override write(rows: readonly object[]): void {
    super.write(rows);
    reached('in commit');
  }
}

/** Takes so long that there is time for some checkpoints. */
function slowly(n: number): { n: number } {
  const until = performance.now() + 0.02;
  while (performance.now() < until);
  return { n };
}

const env = new LocalEnvironment('killed', { parallelism: Number(instances), checkpoint: { dir, intervalMs: 5 } });
const numbers = env.fromCollection(Array.from({ length: Number(records) }, (_, n) => n)).map(slowly);
if (kind === 'sqlite') {
  numbers.sink(KilledSqlite, { args: [target, { create: 'CREATE TABLE IF NOT EXISTS numbers (n INTEGER)', insert: 'INSERT INTO numbers VALUES (:n)' }] });
} else {
  // Only here: a machine without the client has the other kind.
  const { killedPostgres } = await import('./killed-postgres.ts');
  numbers.sink(killedPostgres(reached, isLast), { args: [target, { name: 'numbers', columns: { n: 'integer' } }] });
}
const job = await env.submit({ from: 'latest' });
const restored = job.metrics().checkpoints?.restoredEpoch ?? 0;
const { status, guarantee } = await job.completion;
writeSync(1, `${status} from ${restored}, ${guarantee.level}\n`);
