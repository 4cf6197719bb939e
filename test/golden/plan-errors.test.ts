import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isSageError } from '../../ts/index.ts';
import { mistakesOfTime } from './plan-errors/mistakes-of-time.ts';
import { mistakes } from './plan-errors/mistakes.ts';

// What people read of each mistake; `vitest run test/golden -u` writes the texts anew: read what changed.

const here = fileURLToPath(new URL('.', import.meta.url));

test.each(Object.keys({ ...mistakes, ...mistakesOfTime }))('%s', async (name) => {
  const error: unknown = await (async () => (mistakes[name] ?? mistakesOfTime[name]!)())().then(
    () => expect.unreachable('nothing was wrong'),
    (reason: unknown) => reason,
  );

  if (!isSageError(error)) throw error;
  const text = `${error.code}: ${error.message}`.replaceAll(here, '').replaceAll('\\', '/');
  await expect(`${text}\n`).toMatchFileSnapshot(`plan-errors/${name}.txt`);
  const file = name in mistakesOfTime ? 'mistakes-of-time.ts' : 'mistakes.ts';
  expect(error.declaredAt!.file).toBe(fileURLToPath(new URL(`plan-errors/${file}`, import.meta.url)));
  // Ours are no frames that anybody wants to see first.
  expect(error.stack!.split('\n').find((line) => /^\s+at .*:\d+:\d+\)?$/.test(line) && !line.includes(`${error.declaredAt!.file}:${error.declaredAt!.line}:${error.declaredAt!.column}\n`))).toContain(file);
});
