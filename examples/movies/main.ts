/**
 * Real data is messy: 3,201 movies, some without a title or with a number in its place, some without takings. What cannot be
 * used is put aside with the reason, as dead letters; the rest is routed by its rating.
 *
 *     node examples/movies/main.ts
 *
 * Reads `movies.json` of `vega-datasets`; writes `out/movies/movies.jsonl` and `out/movies/rejected.jsonl`.
 */
import { readFileSync } from 'node:fs';

import { JsonLinesSink, LocalEnvironment, avg, count } from 'sage-kernel';

import { vegaDataset } from '../vega-dataset.ts';

interface Movie {
  readonly title: string;
  readonly year: number;
  /** US dollars. */
  readonly gross: number;
  /** 0 to 10, `null` when nobody has voted. */
  readonly rating: number | null;
}

function toMovie(raw: Readonly<Record<string, unknown>>): Movie {
  const { Title: title, 'Release Date': released, 'Worldwide Gross': gross, 'IMDB Rating': rating } = raw;
  if (typeof title !== 'string') throw new TypeError(`the title is ${JSON.stringify(title)}`);
  if (typeof gross !== 'number') throw new TypeError('nobody knows what it took');
  const year = new Date(String(released)).getFullYear();
  // Two digits of the year were lost somewhere: 'Aug 03 2046' for a film of 1946.
  if (!(year <= 2011)) throw new RangeError(`released in ${String(released)}`);
  return { title, year, gross, rating: typeof rating === 'number' ? rating : null };
}

const raw = JSON.parse(readFileSync(vegaDataset('movies.json'), 'utf8')) as Record<string, unknown>[];

const env = new LocalEnvironment('movies');

const movies = env.fromCollection(raw).map(toMovie).named('clean').onError('deadLetter');

movies
  .deadLetters<Record<string, unknown>>()
  .map(({ record, error }) => ({ title: record['Title'], reason: error.message }))
  .sink(new JsonLinesSink('out/movies/rejected.jsonl', { mkdir: true }));

const rows: { key: string; movies: number; millions: number | null }[] = [];
movies
  .route(({ rating }) => (rating === null ? 'unrated' : rating >= 7.5 ? 'acclaimed' : 'rated'), {
    acclaimed: (stream) => stream.map((movie) => ({ ...movie, shelf: 'front' })),
    unrated: (stream) => stream.map((movie) => ({ ...movie, shelf: 'cellar' })),
    default: (stream) => stream.map((movie) => ({ ...movie, shelf: 'back' })),
  })
  .sink(new JsonLinesSink('out/movies/movies.jsonl', { mkdir: true }))
  .keyBy('shelf')
  .aggregate({ movies: count(), millions: avg((movie) => movie.gross / 1e6) })
  .sink(rows);

const result = await env.submit({ autostop: true });
for (const { key, movies, millions } of rows) console.log(`${key}: ${movies} movies, ${millions?.toFixed(1)} million dollars each`);
console.log(`${result.recordsIn} in, ${result.recordsIn - result.deadLetters} used, ${result.deadLetters} rejected`);
