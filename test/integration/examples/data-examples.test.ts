import { createRequire } from 'node:module';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { dataset, exampleFolder, TIMEOUT_MS } from './example-run.ts';

// Each against the same answer worked out with loops over the whole data.

const { run, recordsOf, textOf, pathOf } = exampleFolder();

interface Flight {
  readonly origin: string;
  readonly destination: string;
  readonly delay: number;
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
const printedLines = (output: string): string[] => output.trimEnd().split('\n');

describe('movies', () => {
  test('each movie is on its shelf or among the rejected', { timeout: TIMEOUT_MS }, () => {
    // Given
    const raw = JSON.parse(dataset('movies.json')) as Record<string, unknown>[];
    const isGood = (movie: Record<string, unknown>): boolean =>
      typeof movie['Title'] === 'string' && movie['Worldwide Gross'] !== null && Number(/\d{4}$/.exec(String(movie['Release Date']))?.[0]) <= 2011;
    const shelfOf = (rating: unknown): string => (rating === null ? 'cellar' : Number(rating) >= 7.5 ? 'front' : 'back');
    const good = raw.filter(isGood);
    // When
    const output = run('movies');
    // Then
    const movies = recordsOf<{ title: string; shelf: string; gross: number }>('out/movies/movies.jsonl');
    const expected = good.map((movie) => [movie['Title'], shelfOf(movie['IMDB Rating']), movie['Worldwide Gross']].join());
    expect(movies.map(({ title, shelf, gross }) => [title, shelf, gross].join()).toSorted()).toEqual(expected.toSorted());
    const rejected = recordsOf<{ title: unknown; reason: string }>('out/movies/rejected.jsonl');
    expect(rejected.map(({ title }) => title)).toEqual(raw.filter((movie) => !isGood(movie)).map((movie) => movie['Title']));
    expect(new Set(rejected.map(({ reason }) => reason.split(' ')[0]))).toEqual(new Set(['the', 'nobody', 'released']));
    const front = movies.filter(({ shelf }) => shelf === 'front');
    expect(output).toContain(`front: ${front.length} movies, ${mean(front.map(({ gross }) => gross / 1e6)).toFixed(1)} million`);
    expect(output).toContain(`${raw.length} in, ${good.length} used, ${raw.length - good.length} rejected`);
  });
});

describe('earthquakes', () => {
  test('every update has what a loop over the week has at that moment', { timeout: TIMEOUT_MS }, () => {
    // Given
    const { features } = JSON.parse(dataset('earthquakes.json')) as { features: { properties: { mag: number; place: string; time: number } }[] };
    const regions = new Map<string, { quakes: number; strongest: number }>();
    const expected = features
      .map(({ properties }) => properties)
      .toSorted((a, b) => a.time - b.time)
      .map(({ place, mag, time }) => {
        const key = place.slice(place.lastIndexOf(', ') + 1).trim();
        const { quakes, strongest } = regions.get(key) ?? { quakes: 0, strongest: -Infinity };
        regions.set(key, { quakes: quakes + 1, strongest: Math.max(strongest, mag) });
        return { key, ...regions.get(key), latest: mag, time };
      });
    // When
    const output = run('earthquakes');
    // Then
    expect(recordsOf('out/earthquakes/updates.jsonl')).toEqual(expected);
    const strong = expected.filter(({ latest, strongest }) => latest >= 6 && latest === strongest);
    expect(printedLines(output).slice(0, -1)).toEqual(
      strong.map(({ key, time, latest, quakes }) => `${new Date(time).toISOString()} ${key}: ${latest} (earthquake ${quakes} of the week)`),
    );
  });
});

const hasSqlite = (() => {
  try {
    createRequire(import.meta.url)('node:sqlite');
    return true;
  } catch {
    return false;
  }
})();

describe('sqlite', () => {
  test.skipIf(!hasSqlite)('the table has each route once (skipped where Node has no SQLite)', { timeout: TIMEOUT_MS }, async () => {
    const flights = JSON.parse(dataset('flights-20k.json')) as (Flight & { distance: number })[];
    const routes = new Map(flights.toReversed().map((flight) => [`${flight.origin} ${flight.destination}`, flight.distance]));
    const output = run('sqlite');
    expect(output).toBe(`${flights.length} flights, ${routes.size} routes, ${Math.ceil(routes.size / 500)} transactions\n`);
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(pathOf('out/sqlite/routes.db'), { readOnly: true });
    const rows = database.prepare('SELECT * FROM routes').all() as { origin: string; destination: string; distance: number }[];
    database.close();
    expect(rows).toHaveLength(routes.size);
    expect(new Map(rows.map((row) => [`${row.origin} ${row.destination}`, row.distance]))).toEqual(routes);
  });
});

describe('weather-schema', () => {
  test('months as added by hand, without the two bad days', { timeout: TIMEOUT_MS }, () => {
    const days = printedLines(dataset('seattle-weather.csv')).slice(1).map((line) => line.split(','));
    const byMonth = Map.groupBy(days, ([date]) => date!.slice(5, 7));
    const months = [...byMonth]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([month, own]) => `month ${month}: ${own.length} days, ${(mean(own.map((day) => Number(day[1]))) * own.length).toFixed(1)} mm, ${mean(own.map((day) => Number(day[2]))).toFixed(1)} degrees`);
    expect(printedLines(run('weather-schema')).toSorted()).toEqual(
      ['left out 2016-02-30: SAGE_SCHEMA_INVALID', 'left out 2016-03-01: SAGE_SCHEMA_INVALID', ...months].toSorted(),
    );
  });
});

describe('join-by-map', () => {
  test('states as joined by a loop', { timeout: TIMEOUT_MS }, () => {
    const flights = JSON.parse(dataset('flights-20k.json')) as Flight[];
    // Fields in quotes, where a comma or a doubled quote may be, or without.
    const rows = printedLines(dataset('airports.csv')).slice(1).map((line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) => match[1] ?? match[2]!));
    const stateOf = new Map(rows.map((row) => [row[0], row[3]!]));
    const byState = Map.groupBy(flights.filter(({ origin }) => stateOf.has(origin)), ({ origin }) => stateOf.get(origin)!);
    const expected = [...byState]
      .toSorted(([, a], [, b]) => b.length - a.length)
      .slice(0, 5)
      .map(([state, own]) => `${state}: ${own.length} flights, ${mean(own.map(({ delay }) => delay)).toFixed(1)} minutes late`);
    const lost = flights.filter(({ origin }) => !stateOf.has(origin)).length;
    expect(printedLines(run('join-by-map'))).toEqual([...expected, `${rows.length} airports, ${flights.length} flights, ${lost} without a state`]);
  });
});

describe('custom-connectors', () => {
  test('files, walks and metrics agree with each other', { timeout: TIMEOUT_MS }, () => {
    const output = run('custom-connectors');
    const files = readdirSync(pathOf('out/custom-connectors'));
    expect(files).toHaveLength(10);
    const texts = files.map((name) => textOf(`out/custom-connectors/${name}`));
    const walks = texts.map((text) => printedLines(text).map((line) => line.split('\t').map(Number)));
    for (const walk of walks) {
      expect(walk.map(([tick]) => tick)).toEqual(Array.from({ length: 200 }, (_, n) => n));
      expect(walk.every(([, value], n) => Math.abs(value! - (n === 0 ? 0 : walk[n - 1]![1]!)) === 1)).toBe(true);
    }
    const distances = walks.flatMap((walk) => walk.map(([, value]) => Math.abs(value!)));
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    expect(output).toBe(`2000 readings, ${bytes} bytes in 10 files\nfarthest from zero: ${Math.max(...distances)}, on average ${mean(distances).toFixed(2)}\n`);
  });
});

describe('word-filter', () => {
  test('counts what comes through the pipe', { timeout: TIMEOUT_MS }, () => {
    const input = `${'To be, or not to be.\n'.repeat(3)}that\n`;
    const output = run('word-filter', { input });
    expect(printedLines(output).toSorted()).toEqual(['1\tthat', '3\tnot', '3\tor', '6\tbe', '6\tto']);
  });

  test('and has nothing to say about nothing', { timeout: TIMEOUT_MS }, () => {
    expect(run('word-filter', { input: '' })).toBe('');
  });
});
