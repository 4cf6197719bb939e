/** Thrown for a value that cannot be written to disk; says why. */
export class NotStorable extends Error {}

/** Deeper than this, objects that were met before are looked for: the value may be a cycle. */
const FLAT_DEPTH = 8;

const POINTER_BYTES = 8;
const NUMBER_BYTES = 16;
const STRING_BYTES = 24;
const OBJECT_BYTES = 40;
const MAP_ENTRY_BYTES = 40;
/** Dates, regular expressions, errors: whatever has an engine object behind it. */
const OTHER_BYTES = 120;

/**
 * About how many bytes of memory a value takes.
 *
 * @throws NotStorable for what would not come back from disk as it is: functions, symbols, objects of classes of the user.
 */
export function storedSize(value: unknown): number {
  return sizeOf(value, 0, undefined);
}

/** Whether `storedSize` takes a value. */
export function isStorable(value: unknown): boolean {
  try {
    storedSize(value);
    return true;
  } catch (error) {
    if (error instanceof NotStorable) return false;
    throw error;
  }
}

function sizeOf(value: unknown, depth: number, seen: Set<object> | undefined): number {
  switch (typeof value) {
    case 'number':
      return NUMBER_BYTES;
    case 'string':
      return STRING_BYTES + value.length;
    case 'object':
      return value === null ? POINTER_BYTES : sizeOfObject(value, depth, seen);
    case 'function':
    case 'symbol':
      throw new NotStorable(`a ${typeof value}`);
    case 'bigint':
      return NUMBER_BYTES + POINTER_BYTES;
    default:
      return POINTER_BYTES;
  }
}

function sizeOfObject(value: object, depth: number, before: Set<object> | undefined): number {
  let seen = before;
  if (depth > FLAT_DEPTH) {
    seen ??= new Set();
    if (seen.has(value)) return POINTER_BYTES;
    seen.add(value);
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  // What nearly all of them are.
  if (prototype === Object.prototype && (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === undefined) return sizeOfFields(value, depth, seen);
  // Plain objects, also those of another realm.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) {
    const tag = tagOf(value);
    if (tag === 'Object') return sizeOfFields(value, depth, seen);
  }
  if (Array.isArray(value)) {
    checkClass(value, prototype);
    let bytes = OBJECT_BYTES + POINTER_BYTES * value.length;
    for (const item of value) bytes += sizeOf(item, depth + 1, seen);
    return bytes;
  }
  switch (tagOf(value)) {
    case 'Object':
      throw new NotStorable(`an object of the class ${classOf(value)}`);
    case 'Map': {
      checkClass(value, prototype);
      let bytes = OTHER_BYTES;
      for (const [key, item] of value as Map<unknown, unknown>) bytes += MAP_ENTRY_BYTES + sizeOf(key, depth + 1, seen) + sizeOf(item, depth + 1, seen);
      return bytes;
    }
    case 'Set': {
      checkClass(value, prototype);
      let bytes = OTHER_BYTES;
      for (const item of value as Set<unknown>) bytes += MAP_ENTRY_BYTES + sizeOf(item, depth + 1, seen);
      return bytes;
    }
    case 'Date':
      checkClass(value, prototype);
      return OTHER_BYTES;
    default:
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return OTHER_BYTES + value.byteLength;
      if (CLONEABLE.has(tagOf(value))) return OTHER_BYTES;
      throw new NotStorable(`a ${classOf(value)}`);
  }
}

/** What else comes back from V8's serialiser. */
const CLONEABLE: ReadonlySet<string> = new Set(['RegExp', 'Error', 'Boolean', 'Number', 'String', 'BigInt']);

function sizeOfFields(value: object, depth: number, seen: Set<object> | undefined): number {
  let bytes = OBJECT_BYTES;
  for (const name of Object.keys(value)) bytes += POINTER_BYTES + sizeOf((value as Record<string, unknown>)[name], depth + 1, seen);
  return bytes;
}

/** Built-in classes stand right above `Object`; what extends them would come back as the built-in class. */
function checkClass(value: object, prototype: object | null): void {
  const parent = prototype === null ? null : (Object.getPrototypeOf(prototype) as object | null);
  if (parent === null || Object.getPrototypeOf(parent) !== null) throw new NotStorable(`an object of the class ${classOf(value)}`);
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function classOf(value: object): string {
  const { constructor } = value as { constructor?: { name?: unknown } };
  return typeof constructor?.name === 'string' && constructor.name !== '' ? constructor.name : tagOf(value);
}
