import { operatorError, SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import { NotStorable } from '../state/stored-size.ts';
import type { EntryWriter } from './entry-writer.ts';
import type { PartOwner } from './part-owner.ts';
import { SavedValuesReader } from './saved-values-reader.ts';
import { SavedValuesWriter } from './saved-values-writer.ts';
import type { KeyedStatePart, OwnStatePart } from './state-part.ts';

/** What one instance had saved as its own. */
export interface SavedValue<V> {
  readonly instance: number;
  readonly parallelism: number;
  readonly value: V;
}

/** Of a part that is values of the user, or has some in it. */
interface ValuePart<V> {
  readonly name: string;
  /** What of a value cannot be saved, for the message: `the state 'count'`. */
  describe(value: V): string;
}

/** Of an instance: one value. */
export interface OwnValuePart<V> extends ValuePart<V> {
  save(): V;
  /** @param saved of all old instances */
  restore(saved: readonly SavedValue<V>[]): void;
}

/** For each key one value. */
export interface KeyedValuePart<V> extends ValuePart<V> {
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
      try {
        return writer.encode(value);
      } catch (error) {
        throw notSaved(error, owner, part, value, undefined);
      }
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
  const put = (entries: EntryWriter, key: unknown, value: V): void => {
    try {
      entries.putValue(key, value);
    } catch (error) {
      throw notSaved(error, owner, part, value, { key });
    }
  };
  return {
    kind: 'keyed',
    operator: owner.operator,
    name: part.name,
    save(entries) {
      for (const [key, value] of part.save()) put(entries, key, value);
    },
    saveChanges(entries) {
      const changes = part.changes?.();
      if (changes === undefined) return false;
      for (const [key, value] of changes) {
        if (value === undefined) entries.removeKey(key);
        else put(entries, key, value);
      }
      return true;
    },
    restore: (entries) => part.restore(entries.values() as Iterable<readonly [unknown, V]>),
  };
}

/** What is thrown for a value that could not be saved: an error that says whose it is, or what else has gone wrong. */
export function notSaved<V>(error: unknown, { name: operator, declaredAt }: PartOwner, part: ValuePart<V>, value: V, of: { readonly key: unknown } | undefined): unknown {
  if (!(error instanceof NotStorable) && !(error instanceof SageError && error.code === 'SAGE_CODEC_UNCLONEABLE')) return error;
  const why = error instanceof NotStorable ? `holds ${error.message}` : `cannot be encoded: ${error.message}`;
  const place = of === undefined ? '' : ` for the key ${describeValue(of.key)}`;
  return operatorError('SAGE_STATE_VALUE', `${part.describe(value)} of '${operator}'${place} ${why}, which cannot be in a checkpoint`, {
    operator,
    declaredAt,
    context: { part: part.name },
    help: 'Keep plain data in records and states: numbers, texts, arrays, plain objects, Map, Set, Date; make objects of classes of it when it is read.',
    cause: error,
  });
}
