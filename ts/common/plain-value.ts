/** Limits of {@link plainValue}. */
const MOST_LEVELS = 6;
const MOST_ITEMS = 100;
const MOST_CHARACTERS = 10_000;
/** All values of one call together, and all their texts. */
const MOST_VALUES = 5_000;
const MOST_CHARACTERS_TOGETHER = 200_000;
/** What is left of each text then. */
const FEW_CHARACTERS = 20;
const MOST_CAUSES = 8;

/** What JSON can hold. */
export type PlainValue = string | number | boolean | null | readonly PlainValue[] | { readonly [name: string]: PlainValue };

interface Walk {
  readonly above: Set<object>;
  left: number;
  charactersLeft: number;
}

/**
 * Any value as one that JSON can hold and every thread can take, however odd it is: cycles, getters that throw, functions and
 * symbols become a text in square brackets, and what is too deep, too long or too much is cut, with a text that says so.
 */
export function plainValue(value: unknown): PlainValue {
  return plain(value, 0, { above: new Set(), left: MOST_VALUES, charactersLeft: MOST_CHARACTERS_TOGETHER });
}

/** A text that is not longer than this; of a longer one the beginning, and how much is missing. */
export function shortened(text: string, mostCharacters: number = MOST_CHARACTERS): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}... ${text.length - mostCharacters} more characters`;
}

function plain(value: unknown, level: number, walk: Walk): PlainValue {
  switch (typeof value) {
    case 'string':
      return said(value, walk);
    case 'number':
      // JSON has no -0.
      return Number.isFinite(value) ? value + 0 : String(value);
    case 'boolean':
      return value;
    case 'undefined':
      return '[undefined]';
    case 'bigint':
      return String(value);
    case 'symbol':
      return `[${String(value)}]`;
    case 'function':
      return `[function ${nameOf(value)}]`.replace(' ]', ']');
    default:
      if (value === null) return null;
      return guarded(() => container(value as object, level, walk));
  }
}

function said(value: string, walk: Walk): string {
  const text = shortened(value, Math.max(FEW_CHARACTERS, Math.min(MOST_CHARACTERS, walk.charactersLeft)));
  walk.charactersLeft -= text.length;
  return text;
}

function container(value: object, level: number, walk: Walk): PlainValue {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[Invalid Date]' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (walk.above.has(value)) return '[circular]';
  if (level >= MOST_LEVELS || walk.left <= 0) return Array.isArray(value) ? '[array]' : `[${nameOf(value.constructor) || 'object'}]`;
  walk.above.add(value);
  try {
    if (value instanceof Error) return errorFields(value, level, walk);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.constructor.name} of ${value.byteLength} bytes]`;
    if (Array.isArray(value)) return list(value, value.length, level, walk);
    if (value instanceof Set) return list(value, value.size, level, walk);
    if (value instanceof Map) return list(value, value.size, level, walk);
    if (value instanceof URL) return value.href;
    return fields(value, Object.keys(value), level, walk);
  } finally {
    walk.above.delete(value);
  }
}

function list(items: Iterable<unknown>, length: number, level: number, walk: Walk): PlainValue {
  const shown: PlainValue[] = [];
  for (const item of items) {
    if (shown.length === MOST_ITEMS || walk.left <= 0) break;
    walk.left--;
    shown.push(plain(item, level + 1, walk));
  }
  return shown.length < length ? [...shown, `[${length - shown.length} more]`] : shown;
}

function fields(value: object, names: readonly string[], level: number, walk: Walk): { [name: string]: PlainValue } {
  const shown: [string, PlainValue][] = [];
  for (const name of names) {
    if (shown.length === MOST_ITEMS || walk.left <= 0) break;
    walk.left--;
    const field = guarded(() => {
      const read = (value as Record<string, unknown>)[name];
      // As JSON has it: a field that holds nothing is not there.
      return read === undefined ? undefined : plain(read, level + 1, walk);
    });
    if (field !== undefined) shown.push([shortened(name, MOST_ITEMS), field]);
  }
  if (names.length > MOST_ITEMS) shown.push(['...', `${names.length - MOST_ITEMS} more fields`]);
  return Object.fromEntries(shown);
}

/** `name`, `message`, `stack` and `cause` are not enumerable, and what an error is about. */
function errorFields(error: Error, level: number, walk: Walk): PlainValue {
  const chain = [...walk.above].filter((value) => value instanceof Error).length;
  const own = Object.keys(error).filter((name) => !['name', 'message', 'stack', 'cause'].includes(name));
  const texts = ['message', 'stack'] as const;
  return {
    name: guarded(() => plain(error.name === 'Error' ? nameOf(error.constructor) || 'Error' : error.name, level, walk)),
    ...Object.fromEntries(texts.map((name) => [name, guarded(() => plain(error[name], level, walk))])),
    ...fields(error, own, level, walk),
    ...(error.cause === undefined ? {} : { cause: chain > MOST_CAUSES ? '[more causes]' : plain(error.cause, Math.min(level, MOST_LEVELS - 1), walk) }),
  };
}

function nameOf(value: unknown): string {
  const name: unknown = typeof value === 'function' ? value.name : undefined;
  return typeof name === 'string' ? name : '';
}

/** Getters and proxies are user code. */
function guarded<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    return `[not readable: ${error instanceof Error ? shortened(String(guarded(() => error.message)), MOST_ITEMS) : typeof error}]`;
  }
}
