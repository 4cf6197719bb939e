import type { Client } from 'pg';

import type { Transaction } from 'sage-kernel';
import { PostgresSink } from '../../../../examples/exactly-once-postgres/postgres-sink.ts';

/** A sink of PostgreSQL that says which point it has reached. */
export function killedPostgres(reached: (point: string) => void, isLast: (rows: readonly object[]) => boolean): typeof PostgresSink {
  return class KilledPostgres extends PostgresSink {
    override prepare(): readonly object[] | undefined {
      reached('before prepare');
      const rows = super.prepare();
      if (rows !== undefined) reached('after prepare');
      return rows;
    }
    override async commit(rows: readonly object[], transaction: Transaction): Promise<void> {
      reached('before commit');
      if (isLast(rows)) reached('before the last commit');
      await super.commit(rows, transaction);
      reached('after commit');
      if (isLast(rows)) reached('after the last commit');
    }
    protected override async write(client: Client, rows: readonly object[]): Promise<void> {
      await super.write(client, rows);
      reached('in commit');
    }
  };
}
