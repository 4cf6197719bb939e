import { SageError } from '../../common/errors.ts';
import type { Seekable } from '../../functions/seekable.ts';
import { NotStorable, storedSize } from '../state/stored-size.ts';
import { SavedValuesReader, SavedValuesWriter } from './saved-values.ts';
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
  /** A record that was awaited has come, and goes down the pipeline. */
  answered?(): void;
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

/** @param whole what has the position in it. @throws SageError SAGE_STATE_VALUE for one that would not come back as it is. */
function encodePosition(writer: SavedValuesWriter, position: unknown, whole: unknown): Uint8Array {
  try {
    storedSize(position);
    return writer.encode(whole);
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

type SavedPosition = { readonly kind: 'ended' } | { readonly kind: 'count'; readonly records: number } | { readonly kind: 'position'; readonly position: unknown };

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
    for (let records = 0; records < this.#before; ) {
      let pulled = this.#source.pull();
      if (typeof pulled === 'object') pulled = await pulled;
      if (pulled === 'end') {
        throw cannotGoOn(
          `the source has given ${this.#before} records before the checkpoint, and gave only ${records} when it was asked for them again`,
          'Give it position() and seek(), or start without the checkpoint.',
        );
      }
      if (pulled === 'nothing') await this.#source.rest();
      else if (++records % RECORDS_PER_TURN === 0) await this.#source.turn();
    }
  }
}

/** Asks the source how far it is (`Seekable`). */
export class PositionCursor implements SourceCursor {
  readonly #source: Seekable;
  readonly #instance: number;
  readonly #instances: number;
  readonly #writer = new SavedValuesWriter();
  /** Before the record that is awaited: a primitive, or the bytes of a value that may be changed. */
  #before: { readonly value: unknown } | { readonly bytes: Uint8Array } | undefined;
  #saved: SavedPosition | undefined;

  constructor(source: Seekable, instance: number, instances: number) {
    this.#source = source;
    this.#instance = instance;
    this.#instances = instances;
  }

  get hasEnded(): boolean {
    return this.#saved?.kind === 'ended';
  }

  /** The source is asked for its next record: until that has come, it may be further than what it has given. */
  asked(): void {
    const position = this.#source.position();
    this.#before = typeof position === 'object' && position !== null ? { bytes: Uint8Array.from(encodePosition(this.#writer, position, position)) } : { value: position };
  }

  /** It has answered. */
  answered(): void {
    this.#before = undefined;
  }

  save({ ended }: SourceProgress): Uint8Array {
    if (ended || this.hasEnded) return encode({ kind: 'ended' } satisfies SavedPosition);
    const before = this.#before;
    const position = before === undefined ? this.#source.position() : 'bytes' in before ? new SavedValuesReader().decode(Buffer.from(before.bytes)) : before.value;
    return encodePosition(this.#writer, position, { kind: 'position', position } satisfies SavedPosition);
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

  catchUp(): void {}
}
