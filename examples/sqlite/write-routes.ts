import { DatabaseSync, type StatementSync } from 'node:sqlite';

import { SinkFunction } from 'sage-kernel';

/** A connection between two airports. */
export interface Route {
  readonly origin: string;
  readonly destination: string;
  /** Miles. */
  readonly distance: number;
}

/** Writes batches of routes to a SQLite database, one transaction each. The connection belongs to the instance that opened it. */
export class WriteRoutes extends SinkFunction<readonly Route[]> {
  readonly #path: string;
  #database: DatabaseSync | undefined;
  #insert: StatementSync | undefined;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override open(): void {
    this.#database = new DatabaseSync(this.#path);
    this.#database.exec('DROP TABLE IF EXISTS routes; CREATE TABLE routes (origin TEXT, destination TEXT, distance INTEGER, PRIMARY KEY (origin, destination))');
    this.#insert = this.#database.prepare('INSERT INTO routes VALUES (?, ?, ?)');
  }

  execute(routes: readonly Route[]): void {
    this.#database!.exec('BEGIN');
    for (const { origin, destination, distance } of routes) this.#insert!.run(origin, destination, distance);
    this.#database!.exec('COMMIT');
    this.ctx.metrics.counter('transactions').inc();
  }

  override close(): void {
    this.#database?.close();
  }
}
