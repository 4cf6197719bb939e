import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import type { PipelineOptions, SageError } from '../../../ts/index.ts';
import { failureOf } from '../../e2e/support/failure-of.ts';
import { BAD, type Fault, type Form, type Place, failing } from '../pipelines/failing.ts';
import type { OddError } from './odd-error.ts';

const module = fileURLToPath(new URL('../pipelines/failing.ts', import.meta.url));
const lines = readFileSync(module, 'utf8').split('\n');

const declaredOn = (place: Place): number => lines.findIndex((line) => line.endsWith(`// at ${place}`)) + 1;

const CODES: Partial<Record<Place, string>> = { source: 'SAGE_USER_SOURCE', sink: 'SAGE_USER_SINK' };

/** What the operator is given at the bad record. */
const records: Partial<Record<Place, unknown>> = {
  filter: { n: BAD },
  map: { n: BAD },
  flatMap: { n: BAD, mapped: true },
  keyBy: { n: BAD, mapped: true },
  reduce: { n: BAD, mapped: true },
  aggregate: { n: BAD },
  sink: { n: BAD, mapped: true },
};

async function run(place: Place, form: Form, fault: Fault, options: PipelineOptions) {
  const counts = new SharedArrayBuffer(4 * 4);
  const error = await failureOf(failing.run({ place, form, fault, counts }, options));
  const [opened, closed, left] = new Int32Array(counts);
  return { error, opened: opened!, closed: closed!, left: left! };
}

function expectWhole(error: SageError, place: Place, message: string): void {
  expect(error.operator).toBe(`the ${place}`);
  expect(error.declaredAt).toMatchObject({ file: module, line: declaredOn(place) });
  expect(error.domain).toBe('user');
  expect(error.retryable).toBe(false);
  expect(error.message).toContain(message);
  const cause = error.cause as OddError;
  // The class itself cannot cross threads; everything that is said of it does.
  expect({ name: cause.name === 'Error' ? cause.constructor.name : cause.name, message: cause.message, code: cause.code }).toEqual({
    name: 'OddError',
    message,
    code: 'E_ODD',
  });
  expect(cause.stack).toContain('failing.ts');
  expect(cause.cause).toMatchObject({ name: 'RangeError', message: 'what lies behind it' });
}

/** Every way in which user code can fail, with the job's parallelism as given. */
export function describeUserErrors(name: string, options: PipelineOptions): void {
  describe(`a function of the user ${name}`, () => {
    const cases = (['source', 'filter', 'map', 'flatMap', 'keyBy', 'reduce', 'sink'] as const).flatMap((place) =>
      // reduce takes functions only.
      (place === 'reduce' ? (['lambda'] as const) : (['lambda', 'class'] as const)).flatMap((form) =>
        (['throws', 'rejects'] as const).map((fault) => [place, form, fault] as const),
      ),
    );

    it.each([...cases, ['aggregate', 'lambda', 'throws'] as const, ['aggregate', 'lambda', 'rejects'] as const])(
      '%s, a %s that %s: the job fails with operator, line, record and cause; all functions are closed once',
      async (place, form, fault) => {
        const { error, opened, closed, left } = await run(place, form, fault, options);
        expectWhole(error, place, `${place} ${fault}`);
        expect(error.code).toBe(CODES[place] ?? (fault === 'throws' ? 'SAGE_USER_THREW' : 'SAGE_USER_REJECTED'));
        expect('record' in error ? error.record : 'none').toEqual(records[place] ?? 'none');
        expect(opened).toBeGreaterThan(0);
        expect(closed).toBe(opened);
        if (place === 'source' && form === 'lambda') expect(left).toBe(1);
      },
    );

    it.each((['source', 'filter', 'map', 'flatMap', 'keyBy', 'sink'] as const).flatMap((place) => (['constructor', 'open', 'close'] as const).map((fault) => [place, fault] as const)))(
      '%s, a class whose %s throws: the job fails, and everything that was opened is closed once',
      async (place, fault) => {
        const { error, opened, closed } = await run(place, 'class', fault, options);
        expect(error.code).toBe('SAGE_USER_LIFECYCLE');
        expectWhole(error, place, `${place} ${fault}`);
        expect(closed).toBe(opened);
      },
    );

    it('the iterator of a source cannot even be made', async () => {
      const { error, opened, closed } = await run('source', 'lambda', 'iterator', options);
      expect(error.code).toBe('SAGE_USER_SOURCE');
      expectWhole(error, 'source', 'source iterator');
      expect(closed).toBe(opened);
    });

    it('an aggregator that cannot give its result', async () => {
      const { error, opened, closed } = await run('aggregate', 'lambda', 'close', options);
      expect(error.code).toBe('SAGE_USER_THREW');
      expectWhole(error, 'aggregate', 'aggregate result');
      expect(closed).toBe(opened);
    });
  });
}
