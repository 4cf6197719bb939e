import { existsSync, readFileSync } from 'node:fs';

/** What one process did, as it noted it itself. */
export interface Life {
  /** The checkpoint that it went on from; 0 for none. */
  readonly restored: number;
  /** Records that came from its source, in their order. */
  readonly records: readonly number[];
  /** The last checkpoint that it knew to be written; 0 for none. */
  readonly completed: number;
  /** How many it wrote. */
  readonly epochs: number;
  /** Records that had come when that one was begun: these are in it. */
  readonly before: readonly number[];
  /** How the job ended; nothing when the process was killed. */
  readonly status: string | undefined;
}

/** Reads the notes of one process. */
export function readLife(path: string): Life {
  const records: number[] = [];
  let [restored, completed, epochs, begun, before] = [0, 0, 0, 0, 0];
  let status: string | undefined;
  for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []) {
    const [word, what] = line.split(' ');
    if (word === 'restored') restored = Number(what);
    else if (word === 'begun') begun = records.length;
    else if (word === 'completed') [completed, epochs, before] = [Number(what), epochs + 1, begun];
    else if (word === 'ended') status = what;
    else if (line !== '') records.push(Number(line));
  }
  return { restored, records, completed, epochs, before: records.slice(0, before), status };
}
