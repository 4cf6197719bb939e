import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { EXAMPLES, exampleFolder, TIMEOUT_MS } from './example-run.ts';

const { run, recordsOf } = exampleFolder();

const names = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

test('each example has a test beside this one', () => {
  const tests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts')).map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
  expect(names.filter((name) => !tests.some((text) => text.includes(`describe('${name}'`)))).toEqual([]);
  expect(names.length).toBeGreaterThanOrEqual(10);
});

test.each(names)('%s is short, says how it is run, and is in the table of the examples', (name) => {
  const text = readFileSync(join(EXAMPLES, name, 'main.ts'), 'utf8');
  expect(text.split('\n').length).toBeLessThan(100);
  expect(text).toMatch(new RegExp(`^ \\*     (.*node examples/${name}/main\\.ts|npm start)`, 'm'));
  for (const page of ['README.md', '../README.md']) expect(readFileSync(join(EXAMPLES, page), 'utf8')).toContain(`${name}/main.ts)`);
});

describe('wordcount', () => {
  test('counts as a Map does, and prints the most frequent words', { timeout: TIMEOUT_MS }, () => {
    // Given the words of the licence, counted by hand
    const text = readFileSync(join(EXAMPLES, '../LICENSE'), 'utf8');
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
