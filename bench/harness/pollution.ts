import type { VariantContext } from './bench-case.ts';

/**
 * Runs ten other pipelines, with records and functions of other shapes: a process that has done other work has type
 * feedback that a fresh one has not.
 */
export async function pollute(context: VariantContext): Promise<void> {
  const { LocalEnvironment, MapFunction, count, sum } = await context.engine();
  const sizes = 30_000;
  class Twice extends MapFunction<{ n: number }, { n: number; twice: number }> {
    override execute(record: { n: number }): { n: number; twice: number } {
      return { n: record.n, twice: record.n * 2 };
    }
  }
  const run = async (build: (env: InstanceType<typeof LocalEnvironment>) => void): Promise<void> => {
    const env = new LocalEnvironment('pollution');
    build(env);
    await env.submit({ autostop: true });
  };
  const numbers = Array.from({ length: sizes }, (_, n) => n);
  const floats = numbers.map((n) => n + 0.5);
  const texts = numbers.map((n) => `text ${n % 977}`);
  const pairs = numbers.map((n) => ({ n }));
  const people = numbers.map((n) => ({ name: `p${n % 100}`, age: n % 90, tags: ['a', 'b', String(n % 7)] }));
  const mixed: unknown[] = numbers.map((n) => (n % 3 === 0 ? n : n % 3 === 1 ? `s${n}` : { n }));
  let kept = 0;
  await run((env) => env.fromCollection(numbers).map((n) => n + 1).filter((n) => n % 2 === 0).sink(() => void kept++));
  await run((env) => env.fromCollection(floats).map((n) => n / 3).reduce((a, b) => a + b).sink(() => void kept++));
  await run((env) => env.fromCollection(texts).map((text) => text.length).filter((n) => n > 3).sink(() => void kept++));
  await run((env) => env.fromCollection(texts).keyBy((text) => text).aggregate({ n: count() }).sink(() => void kept++));
  await run((env) => env.fromCollection(pairs).map(Twice).filter((pair) => pair.twice > 10).sink(() => void kept++));
  await run((env) => env.fromCollection(people).flatMap((person) => person.tags).map((tag) => tag + tag).sink(() => void kept++));
  await run((env) => env.fromCollection(people).filter((p) => p.age > 20).map((p) => ({ ...p, old: p.age > 60 })).sink(() => void kept++));
  await run((env) => env.fromCollection(people).keyBy('name').aggregate({ n: count(), years: sum('age') }).sink(() => void kept++));
  await run((env) => env.fromCollection(mixed).filter((value) => value !== null).map((value) => [value]).sink(() => void kept++));
  await run((env) => {
    const stream = env.fromBatch(function* generate() {
      for (let n = 0; n < sizes; n++) yield { at: n, value: n % 13 };
    });
    stream.map((r) => r.value).sink(() => void kept++);
    stream.filter((r) => r.at % 2 === 0).sink(() => void kept++);
  });
  if (kept === 0) throw new Error('the other pipelines gave nothing');
}
