import { operatorError, SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import { NotStorable, storedSize } from '../state/stored-size.ts';
import type { PartOwner } from './part-owner.ts';
import { SavedValuesReader, SavedValuesWriter } from './saved-values.ts';
import type { KeyedStatePart, OwnStatePart } from './state-part.ts';

/** What one instance had saved as its own. */
export interface SavedValue<V> {
  readonly instance: number;
  readonly parallelism: number;
  readonly value: V;
}

/** Of a part that is values of the user, or has some in it. */
interface ValuePart {
  readonly name: string;
  /** What of a value cannot be saved, for the message: `the state 'count'`. */
  describe(value: unknown): string;
}

/** Of an instance: one value. */
export interface OwnValuePart<V> extends ValuePart {
  save(): V;
  /** @param saved of all old instances */
  restore(saved: readonly SavedValue<V>[]): void;
}

/** For each key one value. */
export interface KeyedValuePart<V> extends ValuePart {
  /** Each key once. */
  save(): Iterable<readonly [key: unknown, value: V]>;
  /** What has changed since the last call of this or of `save`, without a value for keys that have gone; nothing when everything is to be saved. The last one of a key counts. */
  changes?(): Iterable<readonly [key: unknown, value: V | undefined]> | undefined;
  /** @param entries with the keys of this instance; a key may come several times when instances had it that it does not belong to */
  restore(entries: Iterable<readonly [key: unknown, value: V]>): void;
}

/** A part that is one value of an instance. What cannot be saved is an error that says whose it is. */
export function ownValuePart<V>(owner: PartOwner, part: OwnValuePart<V>): OwnStatePart {
  const writer = new SavedValuesWriter();
  return {
    kind: 'own',
    operator: owner.operator,
    name: part.name,
    save() {
      const value = part.save();
      return checked(owner, part, value, undefined, () => writer.encode(value));
    },
    restore(saved) {
      if (saved.length === 0) return;
      const reader = new SavedValuesReader();
      part.restore(saved.map(({ instance, parallelism, bytes }) => ({ instance, parallelism, value: reader.decode(bytes) as V })));
    },
  };
}

/** A part that is one value for each key. What cannot be saved is an error that says whose it is. */
export function keyedValuePart<V>(owner: PartOwner, part: KeyedValuePart<V>): KeyedStatePart {
  return {
    kind: 'keyed',
    operator: owner.operator,
    name: part.name,
    save(entries) {
      for (const [key, value] of part.save()) checked(owner, part, value, { key }, () => entries.putValue(key, value));
    },
    saveChanges(entries) {
      const changes = part.changes?.();
      if (changes === undefined) return false;
      for (const [key, value] of changes) {
        if (value === undefined) entries.removeKey(key);
        else checked(owner, part, value, { key }, () => entries.putValue(key, value));
      }
      return true;
    },
    restore: (entries) => part.restore(entries.values() as Iterable<readonly [unknown, V]>),
  };
}

function checked<R>({ name: operator, declaredAt }: PartOwner, part: ValuePart, value: unknown, of: { readonly key: unknown } | undefined, encode: () => R): R {
  try {
    storedSize(value);
    return encode();
  } catch (error) {
    if (!(error instanceof NotStorable) && !(error instanceof SageError && error.code === 'SAGE_CODEC_UNCLONEABLE')) throw error;
    const why = error instanceof NotStorable ? `holds ${error.message}` : `cannot be encoded: ${error.message}`;
    const place = of === undefined ? '' : ` for the key ${describeValue(of.key)}`;
    throw operatorError('SAGE_STATE_VALUE', `${part.describe(value)} of '${operator}'${place} ${why}, which cannot be in a checkpoint`, {
      operator,
      declaredAt,
      context: { part: part.name },
      help: 'Keep plain data in records and states: numbers, texts, arrays, plain objects, Map, Set, Date; make objects of classes of it when it is read.',
      cause: error,
    });
  }
}
