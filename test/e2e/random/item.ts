import { textOfKey } from './functions.ts';
import type { Row } from './graph.ts';

/** One row on its way through the interpreter, with its key on a keyed stream, and its event time where it has one that is known. */
export interface Item {
  readonly row: Row;
  readonly key?: unknown;
  readonly at?: number;
}

/** The text of an item's key. */
export const keyText = ({ key }: Item): string => textOfKey(key);

/** Items of a key together; all of them on a stream without. */
export function groupsOf(items: readonly Item[], isKeyed: boolean): (readonly Item[])[] {
  return isKeyed ? [...Map.groupBy(items, keyText).values()] : [items];
}
