import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

import { SinkFunction, type Transaction, type TransactionalSink } from 'sage-kernel';

/** The table that rows go to. */
export interface SqliteTable {
  /** `CREATE TABLE IF NOT EXISTS ...` */
  readonly create: string;
  /** `INSERT INTO ... VALUES (:name, ...)`, with the names of fields. */
  readonly insert: string;
}

/**
 * Writes rows to a SQLite database, each exactly once. What has come since the last checkpoint is kept, and saved with the next one; when that is safe on
 * disk, one transaction of the database writes the rows and a line in `sage_commits`. A transaction that has its line is not written again.
 */
export class SqliteSink extends SinkFunction<object> implements TransactionalSink<readonly object[]> {
  readonly #path: string;
  readonly #table: SqliteTable;
  #rows: object[] = [];
  #database: DatabaseSync | undefined;
  #insert: StatementSync | undefined;
  #remember: StatementSync | undefined;

  constructor(path: string, table: SqliteTable) {
    super();
    this.#path = path;
    this.#table = table;
  }

  override open(): void {
    const database = new DatabaseSync(this.#path);
    // Several instances, and a process that has just been killed, may be at the database too.
    database.exec('PRAGMA busy_timeout = 10000');
    database.exec('PRAGMA journal_mode = WAL');
    database.exec(this.#table.create);
    database.exec('CREATE TABLE IF NOT EXISTS sage_commits (id TEXT PRIMARY KEY, sink TEXT, instance INTEGER, epoch INTEGER)');
    this.#database = database;
    this.#insert = database.prepare(this.#table.insert);
    this.#remember = database.prepare('INSERT OR IGNORE INTO sage_commits VALUES (?, ?, ?, ?)');
  }

  execute(row: object): void {
    this.#rows.push(row);
  }

  prepare(): readonly object[] | undefined {
    const rows = this.#rows;
    this.#rows = [];
    return rows.length === 0 ? undefined : rows;
  }

  commit(rows: readonly object[], { id, operator, instance, epoch }: Transaction): void {
    const database = this.#database!;
    database.exec('BEGIN IMMEDIATE');
    try {
      const isNew = this.#remember!.run(id, operator, instance, epoch).changes === 1;
      if (isNew) this.write(rows);
      database.exec('COMMIT');
      this.ctx.metrics.counter(isNew ? 'commits' : 'repeated commits').inc();
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  override close(): void {
    this.#database?.close();
  }

  protected write(rows: readonly object[]): void {
    for (const row of rows) this.#insert!.run(row as Record<string, SQLInputValue>);
  }
}
