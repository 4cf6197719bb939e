import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SageError } from '../../ts/index.ts';
import { misplaced, type Mishap } from './pipelines/misplaced.ts';
import { mismatched } from './pipelines/mismatched.ts';
import { failureOf } from './support/failure-of.ts';

const file = fileURLToPath(new URL('pipelines/misplaced.ts', import.meta.url));
const lines = readFileSync(file, 'utf8').split('\n');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-misplaced-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const marked = (mark: string): number => lines.findIndex((line) => line.endsWith(`// ${mark}`)) + 1;

describe.each([1, 2])('at parallelism %i', (parallelism) => {
  const run = (mishap: Mishap): Promise<SageError> => failureOf(misplaced.run({ mishap, out: join(folder, `${mishap}-${parallelism}/`) }, { parallelism }));

  test('a record that JSON cannot hold is an error of the sink, which shows whose record it was', async () => {
    const error = await run('json');

    expect(error).toMatchObject({ code: 'SAGE_CODEC_UNCLONEABLE', operator: 'writes JSON', declaredAt: { file, line: marked('json') } });
    expect(error.message).toMatch(/cannot be written as JSON: .*BigInt.*\(operator 'writes JSON'\)$/);
    expect(error.related).toEqual([{ what: "the record comes from 'makes bigints'", declaredAt: expect.objectContaining({ file, line: marked('made') }) as unknown }]);
    expect(error.record).toEqual({ id: expect.any(BigInt) as unknown });
    expect(error.stack).toContain(`at operator 'writes JSON' (${file}:${marked('json')}:`);
  });

  test('an asynchronous iterator that gives no results is named', async () => {
    const error = await run('iterator');

    expect(error).toMatchObject({ code: 'SAGE_USER_SOURCE', operator: 'odd iterator', declaredAt: { file, line: marked('iterator') } });
    expect(error.message).toContain('gave 3, which is no iterator result');
    expect('record' in error).toBe(false);
  });

  test('state is asked for where there is none by an operator with a place', async () => {
    expect(await run('context')).toMatchObject({ code: 'SAGE_ENV_CONTEXT', operator: 'asks for state', declaredAt: { file, line: marked('context') }, record: expect.any(Number) });
  });
});

test('a record with a function cannot cross: the path in it, the operator and the record', async () => {
  const error = await failureOf(misplaced.run({ mishap: 'crossing', out: folder }, { parallelism: 2 }));

  expect(error).toMatchObject({ code: 'SAGE_CODEC_UNCLONEABLE', operator: expect.any(String), declaredAt: { file } });
  expect(error.message).toContain('callback is a function');
  expect(Math.abs(error.declaredAt!.line - marked('crossing'))).toBeLessThanOrEqual(1);
});

test('an object that cannot serve several instances is named with its place', async () => {
  expect(await failureOf(misplaced.run({ mishap: 'copy', out: folder }, { parallelism: 2 }))).toMatchObject({
    code: 'SAGE_PLAN_FUNCTION',
    operator: 'has secrets',
    declaredAt: { file, line: marked('copy') },
  });
});

test('a worker that builds something else says which operator, and where that is', async () => {
  const error = await failureOf(mismatched.run('code', { parallelism: 2 }));

  expect(error).toMatchObject({ code: 'SAGE_GRAPH_MISMATCH', operator: 'doubled', declaredAt: { file: fileURLToPath(new URL('pipelines/mismatched.ts', import.meta.url)) } });
});
