import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { linesOfDatabase } from './database-sink.ts';

/** The lines of all files and databases in a directory and those in it, by file. */
function linesByFile(directory: string): string[][] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !basename(name).startsWith('.'))
    .flatMap((name) => {
      const path = join(directory, name);
      if (name.endsWith('.db')) return [linesOfDatabase(path)];
      return name.endsWith('.jsonl') ? [readFileSync(path, 'utf8').split('\n').slice(0, -1)] : [];
    });
}

/** All results, sorted, with the name of their sink. */
export function resultsOf(directory: string): string[] {
  return readdirSync(directory).flatMap((sink) => linesByFile(join(directory, sink)).flatMap((lines) => lines.map((line) => `${sink} ${line}`))).toSorted();
}

/** A result that stands before an earlier one of its key; nothing when all are in order. */
export function outOfOrder(directory: string, order: (result: never) => readonly [number, number]): string | undefined {
  for (const lines of linesByFile(directory)) {
    const places = new Map<number, number>();
    for (const line of lines) {
      const [key, place] = order(JSON.parse(line) as never);
      // Results without a place have no order.
      if (place === undefined) continue;
      if (place <= (places.get(key) ?? Number.NEGATIVE_INFINITY)) return line;
      places.set(key, place);
    }
  }
  return undefined;
}

/** What is left in a directory that no result is. */
export function leftOver(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => basename(name).startsWith('.'));
}
