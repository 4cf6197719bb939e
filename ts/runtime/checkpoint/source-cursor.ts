import { SageError } from '../../common/errors.ts';
import type { Seekable } from '../../functions/seekable.ts';
import { NotStorable } from '../state/stored-size.ts';
import { SavedValuesReader } from './saved-values-reader.ts';
import { SavedValuesWriter } from './saved-values-writer.ts';
import type { SavedPart } from './state-part.ts';

/** What a source has given, as its task knows it. */
export interface SourceProgress {
  /** The next row of a collection. */
  readonly next: number;
  /** Records that have gone down the pipeline since the task began. */
  readonly records: number;
  /** Whether it has none left. */
  readonly ended: boolean;
}

/** How far one instance of a source is: saved at a barrier, and gone on from after a restart. */
export interface SourceCursor {
  save(progress: SourceProgress): Uint8Array;
  /** Notes what was saved; nothing of the user's is called yet. @throws SageError SAGE_CHECKPOINT_SOURCE when it cannot go on from there. */
  restore(saved: readonly SavedPart[]): void;
  /** Tells the source where to go on, before its function is opened. */
  seek(): void | Promise<void>;
  /** Asks the source for the records that were given before, when its function is open. */
  catchUp(): void | Promise<void>;
  /** The next record is awaited. */
  awaited?(): void;
  /** It has come, and goes down the pipeline. */
  answered?(): void;
  /** Nothing is awaited, and so many records have gone down the pipeline: where it is now may be noted. */
  mark?(records: number): void;
  /** Whether the source was at its end. */
  readonly hasEnded: boolean;
}

/** A part of the rows of an array, from the first up to the second. */
type RowRange = readonly [from: number, to: number];

interface SavedCollection {
  readonly ranges: readonly RowRange[];
  readonly length: number;
}

const encode = (value: unknown): Uint8Array => new SavedValuesWriter().encode(value);
const decode = <T>({ bytes }: SavedPart): T => new SavedValuesReader().decode(bytes) as T;

/** @throws SageError SAGE_STATE_VALUE for a position that would not come back as it is. */
function encodePosition(writer: SavedValuesWriter, position: unknown): Uint8Array {
  try {
    return writer.encode(position);
  } catch (error) {
    const what = error instanceof NotStorable ? error.message : `what cannot be encoded (${error instanceof Error ? error.message : String(error)})`;
    throw new SageError('SAGE_STATE_VALUE', `position() gave ${what}, which cannot be in a checkpoint`, {
      help: 'Give plain data from position(), such as a number, a text, or a plain object of these.',
      cause: error,
    });
  }
}

function cannotGoOn(message: string, help: string): SageError {
  return new SageError('SAGE_CHECKPOINT_SOURCE', message, { help });
}

/** The rows of an array that this instance has still to give. At another parallelism those of all instances are shared out anew. */
export class CollectionCursor implements SourceCursor {
  readonly #items: readonly unknown[];
  readonly #instance: number;
  readonly #instances: number;
  #ranges: readonly RowRange[];
  #rows: readonly unknown[];

  constructor(items: readonly unknown[], instance: number, instances: number) {
    this.#items = items;
    this.#instance = instance;
    this.#instances = instances;
    this.#ranges = [[Math.floor((items.length * instance) / instances), Math.floor((items.length * (instance + 1)) / instances)]];
    this.#rows = items;
  }

  /** What to give the rows of. */
  get rows(): readonly unknown[] {
    return this.#rows;
  }

  /** The first of them. */
  get start(): number {
    return this.#rows === this.#items ? this.#ranges[0]![0] : 0;
  }

  /** One behind the last of them. */
  get end(): number {
    return this.#rows === this.#items ? this.#ranges[0]![1] : this.#rows.length;
  }

  get hasEnded(): boolean {
    return this.start === this.end;
  }

  save({ next, ended }: SourceProgress): Uint8Array {
    const saved: SavedCollection = { ranges: ended ? [] : withoutFirst(this.#ranges, next - this.start), length: this.#items.length };
    return encode(saved);
  }

  restore(saved: readonly SavedPart[]): void {
    const old = saved.map((part) => ({ ...part, ...decode<SavedCollection>(part) }));
    const changed = old.find(({ length }) => length !== this.#items.length);
    if (changed !== undefined) {
      throw cannotGoOn(`the array has ${this.#items.length} records, and had ${changed.length} when the checkpoint was written`, 'Give the same array, or start without the checkpoint.');
    }
    const same = old.find(({ instance, parallelism }) => parallelism === this.#instances && instance === this.#instance);
    this.#ranges = same === undefined ? sharedOut(old.flatMap(({ ranges }) => ranges), this.#instance, this.#instances) : same.ranges;
    const [first] = this.#ranges;
    if (this.#ranges.length === 1 && first !== undefined) return;
    this.#rows = this.#ranges.flatMap(([from, to]) => this.#items.slice(from, to));
  }

  seek(): void {}

  catchUp(): void {}
}

function withoutFirst(ranges: readonly RowRange[], rows: number): readonly RowRange[] {
  const left: RowRange[] = [];
  let skip = rows;
  for (const [from, to] of ranges) {
    const begin = Math.min(to, from + skip);
    skip -= begin - from;
    if (begin < to) left.push([begin, to]);
  }
  return left;
}

/** The part of one instance of ranges that all instances share: contiguous, and every row to exactly one. */
function sharedOut(ranges: readonly RowRange[], instance: number, instances: number): readonly RowRange[] {
  const rows = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  const begin = Math.floor((rows * instance) / instances);
  const end = Math.floor((rows * (instance + 1)) / instances);
  const own: RowRange[] = [];
  let at = 0;
  for (const [from, to] of ranges) {
    const low = Math.max(from, from + begin - at);
    const high = Math.min(to, from + end - at);
    if (low < high) own.push([low, high]);
    at += to - from;
  }
  return own;
}

type SavedPosition =
  | { readonly kind: 'ended' }
  | { readonly kind: 'count'; readonly records: number }
  /** `skip`: records behind the position that were given already; none when left away. */
  | { readonly kind: 'position'; readonly position: unknown; readonly skip?: number };

/** That of the instance; of sources other than arrays only one of the same number of instances can go on. */
function ownPosition(saved: readonly SavedPart[], instance: number, instances: number): SavedPosition {
  const old = saved.map((part) => ({ ...part, saved: decode<SavedPosition>(part) }));
  const same = old.find((part) => part.parallelism === instances && part.instance === instance);
  if (same !== undefined) return same.saved;
  if (old.every((part) => part.saved.kind === 'ended')) return { kind: 'ended' };
  throw new SageError(
    'SAGE_CHECKPOINT_RESCALE',
    `the source had ${old[0]?.parallelism} instances when the checkpoint was written, and has ${instances} now: how far it is, each instance knows for itself`,
    { help: `Give it .parallelism(${old[0]?.parallelism}), or start without the checkpoint.` },
  );
}

/** What a source that knows nothing of positions is asked for. */
export interface CountedSource {
  /** Takes the next record without giving it to anybody: whether there was one, or none for now. */
  pull(): 'record' | 'nothing' | 'end' | Promise<'record' | 'nothing' | 'end'>;
  /** Waits a little, for a source that has nothing now. */
  rest(): Promise<void>;
  /** Gives the event loop a turn. */
  turn(): Promise<void>;
}

/** Records between two looks at the event loop. */
const RECORDS_PER_TURN = 1024;

/** Counts the records; to go on, the source is asked for so many again. Exact for sources that give the same each time. */
export class CountedCursor implements SourceCursor {
  readonly #source: CountedSource;
  readonly #instance: number;
  readonly #instances: number;
  #before = 0;
  #hasEnded = false;

  constructor(source: CountedSource, instance: number, instances: number) {
    this.#source = source;
    this.#instance = instance;
    this.#instances = instances;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  save({ records, ended }: SourceProgress): Uint8Array {
    const saved: SavedPosition = ended || this.#hasEnded ? { kind: 'ended' } : { kind: 'count', records: this.#before + records };
    return encode(saved);
  }

  restore(saved: readonly SavedPart[]): void {
    const position = ownPosition(saved, this.#instance, this.#instances);
    if (position.kind === 'position') {
      throw cannotGoOn('the source had position() and seek() when the checkpoint was written, and has them no more', 'Give it the two methods again, or start without the checkpoint.');
    }
    this.#hasEnded = position.kind === 'ended';
    this.#before = position.kind === 'count' ? position.records : 0;
  }

  seek(): void {}

  async catchUp(): Promise<void> {
    const records = await pullAgain(this.#source, this.#before);
    if (records === this.#before) return;
    throw cannotGoOn(
      `the source has given ${this.#before} records before the checkpoint, and gave only ${records} when it was asked for them again`,
      'Give it position() and seek(), or start without the checkpoint.',
    );
  }
}

/** Asks a source for records that were given before. How many came before its end, so many at most. */
async function pullAgain(source: CountedSource, wanted: number): Promise<number> {
  for (let records = 0; records < wanted; ) {
    let pulled = source.pull();
    if (typeof pulled === 'object') pulled = await pulled;
    if (pulled === 'end') return records;
    if (pulled === 'nothing') await source.rest();
    else if (++records % RECORDS_PER_TURN === 0) await source.turn();
  }
  return wanted;
}

/** Where a source was: a primitive, or the bytes of a value that it may change. */
type NotedPosition = { readonly value: unknown } | { readonly bytes: Uint8Array };

/** A mark that is so old, in records or time, gives way to a new one: what comes behind a mark may have to be asked for again. */
const MARK_RECORDS = 64;
const MARK_MS = 4;

/** Asks the source how far it is (`Seekable`). */
export class PositionCursor implements SourceCursor {
  readonly #source: Seekable;
  readonly #again: CountedSource;
  readonly #instance: number;
  readonly #instances: number;
  readonly #nowMs: (() => number) | undefined;
  readonly #writer = new SavedValuesWriter();
  /** Before the record that is awaited. */
  #before: NotedPosition | undefined;
  /** It has not answered yet. */
  #isAwaited = false;
  #marked: { readonly noted: NotedPosition | { readonly error: unknown }; readonly records: number; readonly atMs: number } | undefined;
  #saved: SavedPosition | undefined;

  /** @param nowMs where positions are noted at marks only, and not before each record */
  constructor(source: Seekable, again: CountedSource, { instance, instances, nowMs }: { readonly instance: number; readonly instances: number; readonly nowMs?: (() => number) | undefined }) {
    this.#source = source;
    this.#again = again;
    this.#instance = instance;
    this.#instances = instances;
    this.#nowMs = nowMs;
  }

  get hasEnded(): boolean {
    return this.#saved?.kind === 'ended';
  }

  /** The source is asked for its next record: until that has come, it may be further than what it has given. */
  asked(): void {
    this.#before = this.#note();
  }

  /** It has answered. */
  answered(): void {
    this.#before = undefined;
    this.#isAwaited = false;
  }

  /** Its next record is awaited, and where it was before that was not noted: it is so many records behind the last mark. */
  awaited(): void {
    this.#isAwaited = true;
  }

  mark(records: number): void {
    if (this.#nowMs === undefined) return;
    const last = this.#marked;
    const atMs = this.#nowMs();
    if (last !== undefined && records - last.records < MARK_RECORDS && atMs - last.atMs < MARK_MS) return;
    let noted: NotedPosition | { readonly error: unknown };
    try {
      noted = this.#note();
    } catch (error) {
      // Nobody has asked for it yet, and perhaps nobody will.
      noted = { error };
    }
    this.#marked = { noted, records, atMs };
  }

  #note(): NotedPosition {
    const position = this.#source.position();
    return typeof position === 'object' && position !== null ? { bytes: Uint8Array.from(encodePosition(this.#writer, position)) } : { value: position };
  }

  #encode(position: SavedPosition): Uint8Array {
    return encodePosition(this.#writer, position);
  }

  save({ ended, records }: SourceProgress): Uint8Array {
    if (ended || this.hasEnded) return encode({ kind: 'ended' } satisfies SavedPosition);
    if (this.#before !== undefined) return this.#encode({ kind: 'position', position: positionOf(this.#before) });
    const marked = this.#marked;
    if (!this.#isAwaited || marked === undefined) return this.#encode({ kind: 'position', position: this.#source.position() });
    if ('error' in marked.noted) throw marked.noted.error;
    return this.#encode({ kind: 'position', position: positionOf(marked.noted), skip: records - marked.records });
  }

  restore(saved: readonly SavedPart[]): void {
    const position = ownPosition(saved, this.#instance, this.#instances);
    if (position.kind === 'count') {
      throw cannotGoOn('the source had no position() and seek() when the checkpoint was written, and has them now', 'Take the two methods away, or start without the checkpoint.');
    }
    this.#saved = position;
  }

  seek(): void | Promise<void> {
    return this.#saved?.kind === 'position' ? this.#source.seek(this.#saved.position) : undefined;
  }

  async catchUp(): Promise<void> {
    const skip = this.#saved?.kind === 'position' ? (this.#saved.skip ?? 0) : 0;
    const records = await pullAgain(this.#again, skip);
    if (records === skip) return;
    throw cannotGoOn(
      `the source has given ${skip} records behind its position before the savepoint, and gave only ${records} when it was asked for them again`,
      'Have seek(position) give the same records again, or start without the savepoint.',
    );
  }
}

function positionOf(noted: NotedPosition): unknown {
  return 'bytes' in noted ? new SavedValuesReader().decode(Buffer.from(noted.bytes)) : noted.value;
}
