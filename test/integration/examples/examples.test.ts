import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
const TIMEOUT_MS = 60_000;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs an example in an empty folder, as a user does. */
function run(name: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(examples, name, 'main.ts'), ...args], { cwd: folder, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

function recordsOf<T>(path: string): T[] {
  return readFileSync(join(folder, path), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

test('each example has a test here', () => {
  const folders = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).toSorted()).toEqual(['flights', 'jsonl-totals', 'wordcount']);
});

describe('wordcount', () => {
  test('counts as a Map does, and prints the most frequent words', { timeout: TIMEOUT_MS }, () => {
    // Given the words of the licence, counted by hand
    const text = readFileSync(join(examples, '../LICENSE'), 'utf8');
    const expected = new Map<string, number>();
    for (const word of text.toLowerCase().match(/\p{L}+/gu)!) expected.set(word, (expected.get(word) ?? 0) + 1);
    // When
    const output = run('wordcount');
    // Then
    const words = recordsOf<{ key: string; times: number }>('out/wordcount/words.jsonl');
    expect(new Map(words.map(({ key, times }) => [key, times]))).toEqual(expected);
    expect(words).toHaveLength(expected.size);
    const printed = [...output.matchAll(/^ +(\d+) {2}(\S+)$/gm)].map(([, times]) => Number(times));
    expect(printed).toEqual([...expected.values()].toSorted((a, b) => b - a).slice(0, 10));
    expect(output).toContain(`${text.trimEnd().split('\n').length} lines`);
  });
});

describe('jsonl-totals', () => {
  test('totals as added by hand, on two worker threads', { timeout: TIMEOUT_MS }, () => {
    const output = run('jsonl-totals');
    const bids = recordsOf<{ auction: number; price: number }>('out/jsonl-totals/bids.jsonl');
    const byAuction = Map.groupBy(bids.filter((bid) => bid.price > 100), (bid) => bid.auction);
    const totals = recordsOf<{ key: number; bids: number; total: number; mean: number }>('out/jsonl-totals/totals.jsonl');
    expect(totals.toSorted((a, b) => a.key - b.key)).toEqual(
      [...byAuction]
        .toSorted(([a], [b]) => a - b)
        .map(([key, own]) => {
          const total = own.reduce((sum, bid) => sum + bid.price, 0);
          return { key, bids: own.length, total, mean: total / own.length };
        }),
    );
    expect(output).toBe(`10000 bids, ${byAuction.size} auctions, 2 isolates\n`);
  });
});

describe('flights', () => {
  test('reads all flights and writes its results; the totals agree with each other', { timeout: TIMEOUT_MS }, () => {
    const output = run('flights');
    const airports = recordsOf<{ key: string; flights: number; mean: number; worst: number }>('out/flights/airports.jsonl');
    const routes = recordsOf<{ route: string; flights: number; share: number }>('out/flights/routes.jsonl');
    const flights = (records: readonly { flights: number }[]): number => records.reduce((sum, record) => sum + record.flights, 0);
    expect(flights(airports)).toBe(3_000_000);
    expect(flights(routes)).toBe(3_000_000);
    expect(new Set(airports.map(({ key }) => key)).size).toBe(airports.length);
    expect(routes.every(({ share }) => share >= 0 && share <= 1)).toBe(true);
    expect(output).toMatch(/^3,000,000 flights in [\d.]+ s; results in out\/flights\/$/m);
  });
});
