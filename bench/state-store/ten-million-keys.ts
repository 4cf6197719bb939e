// Ten million keys with state on disk in one process, as JavaScript sees it: each key once, then keys at random, read and
// written. `node_modules/.bin/node bench/state-store/ten-million-keys.ts [keys] [budget in MiB]`; it takes minutes, and about 2 GB of
// disk where SAGE_STATE_DIR says.

import { readStateExchange } from '../../ts/runtime/codec/state-exchange.ts';
import { loadCore } from '../../ts/runtime/native/load-core.ts';
import { stateDirectory } from '../../ts/runtime/native/state-directory.ts';
import { imageOf, tinyGraph } from '../../test/native/support/tiny-job.ts';

interface Value {
  readonly count: number;
  readonly total: number;
  readonly name: string;
}

const BATCH_ROWS = 1024;
const KEY_BYTES = 16;
/** A prime: keys that follow each other lie far apart, and none comes twice. */
const SPREAD = 4_294_967_291;

const keys = Number(process.argv[2] ?? 10_000_000);
const budgetBytes = Number(process.argv[3] ?? 128) * 2 ** 20;
const core = loadCore();
const job = core.createJob(tinyGraph());
const layout = core.internLayout(job, '{"key":"str","row":{"tup":[]}}');
const spec = { states: [{ name: 'value' }], disk: { operator: 1, budgetBytes, directory: stateDirectory() ?? null } };
const handle = core.keyedStateCreate(job, JSON.stringify(spec));

/** By slot. */
const values: (Value | undefined)[] = [];
const slots = new Int32Array(BATCH_ROWS);
const changes = new Int32Array(BATCH_ROWS * 3);
const ends = Int32Array.from({ length: BATCH_ROWS }, (_, row) => (row + 1) * KEY_BYTES);
let exchange = new Uint8Array(1 << 20);
let batchMs: number[] = [];
let peakRss = 0;

/** What the core wants encoded of the values that it wants back. */
function exchanged(bytes: number): { ends: Int32Array; data: Uint8Array } {
  if (bytes === 0) return { ends: new Int32Array(0), data: new Uint8Array(0) };
  if (bytes > exchange.length) exchange = new Uint8Array(bytes * 2);
  core.keyedStateTake(handle, exchange);
  const { loaded, givenUp, toEncode, data } = readStateExchange(exchange.subarray(0, bytes));
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  for (let n = 0, start = 0; n < loaded.length; n += 3) {
    values[loaded[n]!] = JSON.parse(text.toString('latin1', start, loaded[n + 2])) as Value;
    start = loaded[n + 2]!;
  }
  const encoded: string[] = [];
  let end = 0;
  const encodedEnds = new Int32Array(toEncode.length / 2);
  for (let n = 0; n < toEncode.length; n += 2) {
    const json = JSON.stringify(values[toEncode[n]!]);
    encoded.push(json);
    encodedEnds[n / 2] = end += json.length;
  }
  for (const slot of givenUp) values[slot] = undefined;
  return { ends: encodedEnds, data: Buffer.from(encoded.join(''), 'latin1') };
}

function batch(numbers: readonly number[], round: number): void {
  const text = numbers.map((number) => ((number * 40_503) % SPREAD).toString(36).padStart(KEY_BYTES, '0')).join('');
  const image = imageOf(numbers.length, layout, [new Uint8Array(ends.buffer, 0, numbers.length * 4), Buffer.from(text, 'latin1')], [0]);
  const startedMs = performance.now();
  const given = exchanged(core.keyedStateBegin(handle, 0, image, slots));
  numbers.forEach((number, row) => {
    const slot = slots[row]!;
    const before = values[slot];
    if ((before?.count ?? 0) !== round && before?.count !== round + 1) throw new Error(`key ${number} has ${before?.count} in round ${round}`);
    values[slot] = { count: round + 1, total: (before?.total ?? 0) + number, name: `name ${number}` };
    changes.set([slot, 0, 120], row * 3);
  });
  core.keyedStateFinish(handle, 0, changes.subarray(0, numbers.length * 3), given.ends, given.data);
  batchMs.push(performance.now() - startedMs);
  peakRss = Math.max(peakRss, process.memoryUsage.rss());
}

function report(what: string, rows: number, startedMs: number): void {
  batchMs.sort((a, b) => a - b);
  const at = (share: number): string => `${batchMs[Math.floor((batchMs.length - 1) * share)]!.toFixed(2)} ms`;
  const seconds = (performance.now() - startedMs) / 1e3;
  console.log(`${what}: ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows/s; a batch of ${BATCH_ROWS}: median ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`);
  console.log(`  peak resident ${Math.round(peakRss / 2 ** 20)} MiB; ${core.keyedStateCounts(handle)}`);
  batchMs = [];
}

let startedMs = performance.now();
for (let first = 0; first < keys; first += BATCH_ROWS) {
  batch(Array.from({ length: Math.min(BATCH_ROWS, keys - first) }, (_, row) => first + row), 0);
}
report('every key once', keys, startedMs);

startedMs = performance.now();
const rounds = Math.min(2_000, Math.floor(keys / BATCH_ROWS));
let next = 0;
for (let n = 0; n < rounds; n++) {
  // A stride that has no factor in common with the number of keys visits each once.
  batch(Array.from({ length: BATCH_ROWS }, () => (next = (next + 7_368_787) % keys)), 1);
}
report('keys at random, read and written', rounds * BATCH_ROWS, startedMs);

startedMs = performance.now();
core.dropJob(job);
console.log(`dropped in ${(performance.now() - startedMs).toFixed(0)} ms`);
