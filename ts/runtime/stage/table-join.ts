import type { StageNode } from '../../compiler/physical-plan.ts';
import type { AsOfJoinSettings, TableSettings } from '../../transformations/as-of-join-transformation.ts';
import type { SidedRecord } from '../../transformations/interval-join-transformation.ts';
import { ChangedKeys } from '../checkpoint/changed-keys.ts';
import { DueTimes } from './due-times.ts';
import { keyIdentity, keyOfIdentity } from './key-identity.ts';
import { PairHolder } from './pair-holder.ts';
import type { StageBindings } from './stage-bindings.ts';

/** The row of one key. */
interface Row {
  readonly identity: unknown;
  record: unknown;
  hasPartner: boolean;
  /** By the clock: from then on there is none. */
  endsMs: number;
}

/** The row of one key in a checkpoint. */
interface SavedRow {
  readonly record: unknown;
  readonly hasPartner: boolean;
  /** In epoch milliseconds, as the other clock begins anew; infinity when it has no end. */
  readonly endsAtMs: number;
}

/**
 * The stream-table join of one task by processing time: each left record is given at once, with the row that its key has when it
 * comes. By event time an `AsOfJoin` does it, which waits for the row of the record's own time.
 */
export class TableJoin extends PairHolder {
  readonly #bindings: StageBindings;
  readonly #settings: AsOfJoinSettings;
  readonly #table: TableSettings;
  readonly #rows = new Map<unknown, Row>();
  /** An entry for each row that ends, at a time when it may have done so: a row that has changed since is entered again. */
  readonly #due = new DueTimes<Row>();
  readonly #changed = new ChangedKeys();

  constructor(node: StageNode, bindings: StageBindings) {
    const { op } = node;
    if (op.kind !== 'asOfJoin' || op.settings.table === undefined) throw new TypeError(`operator '${op.kind}' has no table`);
    super(node, bindings, 0);
    this.#bindings = bindings;
    this.#settings = op.settings;
    this.#table = op.settings.table;
  }

  get waiting(): { readonly records: number; readonly keys: number } {
    return { records: this.#rows.size, keys: this.#rows.size };
  }

  /** Nothing waits for the watermark here, so that nothing can be late for it. */
  protected override isLate(): boolean {
    return false;
  }

  protected *saved(): Generator<readonly [key: unknown, kept: SavedRow]> {
    this.#changed.restart();
    for (const row of this.#rows.values()) yield [keyOfIdentity(row.identity), this.#savedRow(row)];
  }

  protected changes(): Iterable<readonly [key: unknown, kept: SavedRow | undefined]> | undefined {
    return this.#changed.take(this.#rows.size, (identity) => {
      const row = this.#rows.get(identity);
      return row && this.#savedRow(row);
    });
  }

  #savedRow({ record, hasPartner, endsMs }: Row): SavedRow {
    return { record, hasPartner, endsAtMs: endsMs + this.#bindings.clock.now() - this.#nowMs };
  }

  protected keep(key: unknown, kept: unknown): void {
    const { record, hasPartner, endsAtMs } = kept as SavedRow;
    const { withinMs } = this.#settings;
    const endsMs = withinMs === undefined ? Number.POSITIVE_INFINITY : Math.min(endsAtMs - (this.#bindings.clock.now() - this.#nowMs), this.#nowMs + withinMs);
    const row = { identity: keyIdentity(key), record, hasPartner, endsMs };
    this.#rows.set(row.identity, row);
    if (withinMs !== undefined) this.#due.add(endsMs, row);
  }

  protected take([side, record]: SidedRecord, key: unknown, time: number): void {
    const identity = keyIdentity(key);
    if (side === 0) this.#join(record, identity, time);
    else if (this.deletesRow(this.#table, record)) {
      this.#forget(identity);
      this.drop(1);
    } else this.#change(identity, record);
  }

  #join(record: unknown, identity: unknown, time: number): void {
    const row = this.#rows.get(identity);
    if (row !== undefined && row.endsMs > this.#nowMs) {
      if (!row.hasPartner) this.#changed.add(identity);
      row.hasPartner = true;
      this.give([record, row.record], time);
    } else if (this.#settings.type === 'left') this.give([record, undefined], time);
    else this.drop(1);
  }

  #change(identity: unknown, record: unknown): void {
    const { withinMs } = this.#settings;
    const endsMs = withinMs === undefined ? Number.POSITIVE_INFINITY : this.#nowMs + withinMs;
    const row = this.#rows.get(identity);
    this.#changed.add(identity);
    if (row !== undefined) {
      if (!row.hasPartner) this.drop(1);
      Object.assign(row, { record, hasPartner: false, endsMs });
      return;
    }
    const first = { identity, record, hasPartner: false, endsMs };
    this.#rows.set(identity, first);
    if (withinMs !== undefined) this.#due.add(endsMs, first);
  }

  #forget(identity: unknown): void {
    const row = this.#rows.get(identity);
    if (row === undefined) return;
    if (!row.hasPartner) this.drop(1);
    this.#rows.delete(identity);
    this.#changed.add(identity);
    // An entry for its end may keep it for longer.
    row.record = undefined;
  }

  get #nowMs(): number {
    // Without a time to live no row asks for the clock.
    return this.#settings.withinMs === undefined ? 0 : this.#bindings.clock.monotonicMs();
  }

  override dueInMs(nowMs: number): number | undefined {
    const pairs = super.dueInMs(nowMs);
    if (pairs !== undefined || this.#due.size === 0) return pairs;
    return Math.max(0, this.#due.firstTime - nowMs);
  }

  /** Frees the rows that have ended. */
  override closeDue(nowMs: number): void {
    for (let next = this.#due.takeUntil(nowMs); next !== undefined; next = this.#due.takeUntil(nowMs)) {
      const row = next.value;
      // It was deleted, and may have come anew.
      if (this.#rows.get(row.identity) !== row) continue;
      if (row.endsMs > nowMs) this.#due.add(row.endsMs, row);
      else this.#forget(row.identity);
    }
  }

  protected letGo(): void {}

  protected override clear(): void {
    for (const { identity } of this.#rows.values()) this.#forget(identity);
  }
}
