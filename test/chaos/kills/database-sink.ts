import { DatabaseSync, type StatementSync } from 'node:sqlite';

import { SinkFunction, type Transaction, type TransactionalSink } from '../../../ts/index.ts';

/** Writes results as lines of JSON into the table `results` of a SQLite database, each of them once: with the rows of a transaction goes its id. */
export class DatabaseSink extends SinkFunction<object> implements TransactionalSink<readonly string[]> {
  readonly #path: string;
  #lines: string[] = [];
  #database: DatabaseSync | undefined;
  #insert: StatementSync | undefined;
  #remember: StatementSync | undefined;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override open(): void {
    const database = new DatabaseSync(this.#path);
    // Other instances write too, and a process that was killed may have left something to roll back.
    database.exec('PRAGMA busy_timeout = 60000');
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('CREATE TABLE IF NOT EXISTS results (line TEXT)');
    database.exec('CREATE TABLE IF NOT EXISTS commits (id TEXT PRIMARY KEY)');
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO results VALUES (?)');
    this.#remember = database.prepare('INSERT OR IGNORE INTO commits VALUES (?)');
  }

  execute(result: object): void {
    this.#lines.push(JSON.stringify(result));
  }

  prepare(): readonly string[] | undefined {
    const lines = this.#lines;
    this.#lines = [];
    return lines.length === 0 ? undefined : lines;
  }

  commit(lines: readonly string[], { id }: Transaction): void {
    const database = this.#database!;
    database.exec('BEGIN IMMEDIATE');
    try {
      if (this.#remember!.run(id).changes === 1) for (const line of lines) this.#insert!.run(line);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  override close(): void {
    this.#database?.close();
  }
}

/** The results in the order in which they were written. */
export function linesOfDatabase(path: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare('SELECT line FROM results ORDER BY rowid').all().map(({ line }) => String(line));
  } finally {
    database.close();
  }
}
