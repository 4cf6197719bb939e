/**
 * About how many bytes a record is: texts and binary data by their length, other values by that of their JSON, in which a Map
 * is its entries, a Set its values, and what comes again on the way to itself is there once.
 */
export function recordBytes(record: unknown): number {
  if (typeof record === 'string') return Buffer.byteLength(record);
  if (isBinary(record)) return record.byteLength;
  try {
    return jsonBytes(record, undefined);
  } catch (error) {
    // A cycle: those are rare, and to look for them everywhere is not free.
    if (error instanceof TypeError) return jsonBytes(record, new Set());
    throw error;
  }
}

/** @param seen objects that are counted already; `undefined` where none comes again. */
function jsonBytes(record: unknown, seen: Set<unknown> | undefined): number {
  let binaryBytes = 0;
  const text = JSON.stringify(record, function (this: Readonly<Record<string, unknown>>, name: string, value: unknown) {
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    // What `toJSON` of a Buffer has made of it would be three times as long.
    const given = this[name];
    if (isBinary(given)) {
      binaryBytes += given.byteLength;
      return undefined;
    }
    if (seen?.has(given) === true) return undefined;
    seen?.add(given);
    return value instanceof Map || value instanceof Set ? [...value] : value;
  }) as string | undefined;
  return binaryBytes + (text === undefined ? 0 : Buffer.byteLength(text));
}

function isBinary(value: unknown): value is ArrayBufferView | ArrayBuffer {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}
