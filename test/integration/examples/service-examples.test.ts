import { describe, expect, test } from 'vitest';

import { dataset, exampleFolder, TIMEOUT_MS } from './example-run.ts';

const { run, recordsOf } = exampleFolder();

describe('http-lookup', () => {
  test('each airport is asked for once, and again where the service refused', { timeout: TIMEOUT_MS }, () => {
    // Given airports in the order of their first flight
    const flights = JSON.parse(dataset('flights-5k.json')) as { origin: string; destination: string }[];
    const airports = [...new Set(flights.flatMap(({ origin, destination }) => [origin, destination]))];
    const refused = Math.floor(airports.length / 5);
    // When
    const output = run('http-lookup');
    // Then
    const found = recordsOf<{ iata: string; city: string; state: string }>('out/http-lookup/airports.jsonl');
    expect(found.map(({ iata }) => iata)).toEqual(airports);
    const lines = new Map(dataset('airports.csv').split('\n').map((line) => [line.split(',')[0], line]));
    expect(found.filter(({ iata, city, state }) => !lines.get(iata)?.includes(`,${city},${state},`))).toEqual([]);
    expect(output).toBe(`${airports.length} airports, ${airports.length + refused} requests, ${refused} refused, at most 8 at a time\n`);
  });
});

describe('web-server', () => {
  test('answers with the days of a weather, cancels what is read no longer, and ends', { timeout: TIMEOUT_MS }, () => {
    const days = dataset('seattle-weather.csv').trimEnd().split('\n').map((line) => line.split(','));
    const expected = ['snow', 'drizzle'].map((weather) => {
      const own = days.filter((day) => day[5] === weather);
      return `${weather}: ${own.length} days from ${own[0]![0]} on, the warmest had ${Math.max(...own.map((day) => Number(day[2])))} degrees`;
    });
    // The clock has no end of its own: only that its client is gone ends the job, and with it the program.
    expect(run('web-server').trimEnd().split('\n')).toEqual([...expected, 'clock: its reader has left, and the job was canceled']);
  });
});

describe('agent', () => {
  test('each message reaches a desk or a person', { timeout: TIMEOUT_MS }, () => {
    const lines = run('agent').trimEnd().split('\n');
    expect(lines.at(-1)).toBe('6 messages, 6 handled');
    expect(lines.slice(0, -1).toSorted()).toEqual(
      [
        'call back at once: 1, Since this morning the shop is down. (attempt 1)',
        '2 to the desk for billing (attempt 1)',
        '3 to the desk for other (attempt 1)',
        'call back at once: 4, All my drawings are lost! (attempt 2)',
        '5 to the desk for billing (attempt 1)',
        "a person should read 6: the model answered 'nobody knows' (3 attempts)",
      ].toSorted(),
    );
  });
});
