import type { LinkedNode, Push } from './linked-node.ts';

/** Gives a record to several nodes one after the other; a promise as soon as one of them has to be awaited. */
export function emitTo(children: readonly number[], linked: readonly LinkedNode[]): Push {
  if (children.length === 0) return () => undefined;
  if (children.length === 1) {
    const child = children[0]!;
    return (value, key) => linked[child]!.push(value, key);
  }
  return (value, key) => {
    for (let n = 0; n < children.length; n++) {
      const pushed = linked[children[n]!]!.push(value, key);
      if (pushed !== undefined) return emitRest(children, n + 1, linked, value, key, pushed);
    }
    return undefined;
  };
}

async function emitRest(
  children: readonly number[],
  from: number,
  linked: readonly LinkedNode[],
  value: unknown,
  key: unknown,
  first: Promise<void>,
): Promise<void> {
  await first;
  for (let n = from; n < children.length; n++) {
    const pushed = linked[children[n]!]!.push(value, key);
    if (pushed !== undefined) await pushed;
  }
}
