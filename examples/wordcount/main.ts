/**
 * How often each word occurs in a text, and the ten words that occur most.
 *
 *     node examples/wordcount/main.ts [file]
 *
 * Reads the licence of this project when no file is given; writes `out/wordcount/words.jsonl`.
 */
import { FileSource, JsonLinesSink, LocalEnvironment, count, topN } from 'sage-kernel';

const input = process.argv[2] ?? new URL('../../LICENSE', import.meta.url);

const env = new LocalEnvironment('wordcount');

const words = env
  .fromSource(FileSource.textLines(input))
  .flatMap((line) => line.toLowerCase().match(/\p{L}+/gu))
  .keyBy((word) => word)
  .aggregate({ times: count() })
  .sink(new JsonLinesSink('out/wordcount/words.jsonl', { mkdir: true }));

const top: { words: { key: string; times: number }[] }[] = [];
words.aggregate({ words: topN(10, 'times') }).sink(top);

const result = await env.submit({ autostop: true });

for (const { key, times } of top[0]?.words ?? []) console.log(`${String(times).padStart(6)}  ${key}`);
console.log(`${result.recordsIn} lines`);
