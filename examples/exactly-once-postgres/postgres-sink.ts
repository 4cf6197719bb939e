import { Client } from 'pg';

import { SinkFunction, type Transaction, type TransactionalSink } from 'sage-kernel';

/** The table that rows go to. */
export interface PostgresTable {
  readonly name: string;
  /** Names of its columns, which are fields of the rows, with their types. */
  readonly columns: Readonly<Record<string, string>>;
}

/**
 * Writes rows to a PostgreSQL database, each exactly once. What has come since the last checkpoint is kept, and saved with the next one; when that is safe on
 * disk, one transaction of the database writes the rows and a line in `sage_commits`. A transaction that has its line is not written again.
 */
export class PostgresSink extends SinkFunction<object> implements TransactionalSink<readonly object[]> {
  readonly #url: string;
  readonly #table: PostgresTable;
  #rows: object[] = [];
  #client: Client | undefined;

  constructor(url: string, table: PostgresTable) {
    super();
    this.#url = url;
    this.#table = table;
  }

  override async open(): Promise<void> {
    const client = new Client({ connectionString: this.#url });
    await client.connect();
    this.#client = client;
    const { name, columns } = this.#table;
    const types = Object.entries(columns).map(([column, type]) => `${column} ${type}`);
    // Instances that make the same table at once would be in each other's way.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query('CREATE TABLE IF NOT EXISTS sage_commits (id text PRIMARY KEY, sink text, instance integer, epoch bigint)');
    await client.query(`CREATE TABLE IF NOT EXISTS ${name} (${types.join(', ')})`);
    await client.query('SELECT pg_advisory_unlock(1)');
  }

  execute(row: object): void {
    this.#rows.push(row);
  }

  prepare(): readonly object[] | undefined {
    const rows = this.#rows;
    this.#rows = [];
    return rows.length === 0 ? undefined : rows;
  }

  async commit(rows: readonly object[], { id, operator, instance, epoch }: Transaction): Promise<void> {
    const client = this.#client!;
    await client.query('BEGIN');
    try {
      const { rowCount } = await client.query('INSERT INTO sage_commits VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [id, operator, instance, epoch]);
      if (rowCount === 1) await this.write(client, rows);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  override async close(): Promise<void> {
    await this.#client?.end();
  }

  /** All rows in one statement. */
  protected async write(client: Client, rows: readonly object[]): Promise<void> {
    const { name, columns } = this.#table;
    const types = Object.entries(columns).map(([column, type]) => `${column} ${type}`);
    await client.query(`INSERT INTO ${name} SELECT * FROM json_to_recordset($1) AS rows (${types.join(', ')})`, [JSON.stringify(rows)]);
  }
}
