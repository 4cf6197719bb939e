import { inspect, types } from 'node:util';

import { shortened } from './plain-value.ts';

const MOST_CHARACTERS = 2_000;
const MOST_LEVELS = 4;
/** Of one array, Map, Set or object. */
const MOST_ITEMS = 20;
/** Of one string. */
const MOST_TEXT = 500;
/** All values of one text together: looking at a large tree takes seconds, whatever is shown of it. */
const MOST_VALUES = 400;

/** A value as people read it, on a few lines and in no time, whatever it is: deep, huge, endless, or with code of its own. */
export function boundedText(value: unknown): string {
  try {
    const small = new Excerpt().of(value, 0);
    return shortened(inspect(small, { depth: MOST_LEVELS, breakLength: 100, customInspect: false, getters: false }), MOST_CHARACTERS);
  } catch {
    return `[${typeof value} that cannot be shown]`;
  }
}

/** Copies the part of a value that is shown. No code of the user's runs: neither getters, nor proxies, nor inspect methods. */
class Excerpt {
  readonly #copies = new Map<object, unknown>();
  #left = MOST_VALUES;

  of(value: unknown, level: number): unknown {
    if (typeof value === 'string') return shortened(value, MOST_TEXT);
    if (typeof value !== 'object' || value === null) return value;
    if (types.isProxy(value)) return '[Proxy]';
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    // From there on only the class is shown.
    if (level > MOST_LEVELS) return value;
    if (Array.isArray(value)) return this.#list(value, level);
    if (types.isMap(value)) return this.#map(value, level);
    if (types.isSet(value)) return this.#set(value, level);
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isDate(value) || types.isRegExp(value) || types.isNativeError(value)) return value;
    return this.#object(value, level);
  }

  #list(items: readonly unknown[], level: number): unknown {
    const copy: unknown[] = [];
    this.#copies.set(items, copy);
    for (let n = 0; n < items.length && n < MOST_ITEMS && this.#left > 0; n++) {
      this.#left--;
      if (Object.hasOwn(items, n)) copy[n] = this.of(items[n], level + 1);
      else copy.length = n + 1;
    }
    if (items.length > copy.length) copy.push(`... ${items.length - copy.length} more`);
    return copy;
  }

  #map(map: ReadonlyMap<unknown, unknown>, level: number): unknown {
    const copy = new Map<unknown, unknown>();
    this.#copies.set(map, copy);
    for (const [key, item] of map) {
      if (copy.size === MOST_ITEMS || this.#left-- <= 0) break;
      copy.set(this.of(key, level + 1), this.of(item, level + 1));
    }
    if (map.size > copy.size) copy.set(`... ${map.size - copy.size} more`, '');
    return copy;
  }

  #set(set: ReadonlySet<unknown>, level: number): unknown {
    const copy = new Set<unknown>();
    this.#copies.set(set, copy);
    let shown = 0;
    for (const item of set) {
      if (shown === MOST_ITEMS || this.#left-- <= 0) break;
      shown++;
      copy.add(this.of(item, level + 1));
    }
    if (set.size > shown) copy.add(`... ${set.size - shown} more`);
    return copy;
  }

  #object(value: object, level: number): unknown {
    const copy = Object.create(Object.getPrototypeOf(value) as object | null) as object;
    this.#copies.set(value, copy);
    const names = Object.keys(value);
    let shown = 0;
    for (const name of names) {
      if (shown === 2 * MOST_ITEMS || this.#left-- <= 0) break;
      shown++;
      const descriptor = Object.getOwnPropertyDescriptor(value, name)!;
      Object.defineProperty(copy, shortened(name, MOST_TEXT), 'value' in descriptor ? { ...descriptor, value: this.of(descriptor.value, level + 1) } : descriptor);
    }
    if (names.length > shown) Object.defineProperty(copy, `... ${names.length - shown} more`, { value: '', enumerable: true });
    return copy;
  }
}
