import { KeyBytesWriter } from '../codec/key-bytes.ts';

const writer = new KeyBytesWriter();

/** Stands before the text of everything that is no plain primitive. */
const MARK = '\0';

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

function bytesText(key: unknown): string {
  writer.reset();
  writer.write(key);
  return `${MARK}k${Buffer.from(writer.bytes()).toString('latin1')}`;
}
