import { KeyBytesWriter, readKey } from '../codec/key-bytes.ts';

const writer = new KeyBytesWriter();

/** Stands before the text of everything that is no plain primitive. */
const MARK = '\0';
/** Stands before the bytes of a key that is an object. */
const OBJECT_MARK = `${MARK}k`;

/**
 * A primitive that is the same for equal keys, and for no others, as keys of a `Map`: the equality of `keyBy`.
 *
 * @throws SageError SAGE_KEY_UNSUPPORTED for values that cannot be keys.
 */
export function keyIdentity(key: unknown): unknown {
  switch (typeof key) {
    case 'string':
      return key.startsWith(MARK) ? `${MARK}${key}` : key;
    case 'object':
    case 'function':
    case 'symbol':
      return key === null ? null : bytesText(key);
    default:
      return key;
  }
}

/** A key that has this identity: of objects another one with the same fields. */
export function keyOfIdentity(identity: unknown): unknown {
  if (typeof identity !== 'string' || !identity.startsWith(MARK)) return identity;
  if (!identity.startsWith(OBJECT_MARK)) return identity.slice(MARK.length);
  const bytes = Buffer.from(identity.slice(OBJECT_MARK.length), 'latin1');
  return readKey(bytes, 0, bytes.length);
}

function bytesText(key: unknown): string {
  writer.reset();
  writer.write(key);
  return `${OBJECT_MARK}${Buffer.from(writer.bytes()).toString('latin1')}`;
}
