import { spawn } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ERROR_TABLE } from '../../ts/common/error-codes.generated.ts';
import { errorPage, errorPagePath, errorPageUrl } from '../../ts/common/error-page.ts';
import { type ErrorCode, SageError } from '../../ts/common/errors.ts';
import { exampleFiles } from './example-files.ts';
import { exampleProgram, type KnownNames } from './example-program.ts';
import { fencesOf } from './fences.ts';
import { publicNames } from '../../scripts/docs/public-names.ts';
import { ROOT } from '../../scripts/docs/source-file.ts';

// The examples of what is right run with those of the other documents.

const TIMEOUT_MS = 120_000;
const folder = join(ROOT, 'out', `error-pages-${process.pid}`);
const codes = Object.keys(ERROR_TABLE) as ErrorCode[];
/** The sources as they are: examples of errors must not depend on what was built before. */
const library = (from: string): string => pathToFileURL(join(ROOT, from === 'sage-kernel' ? 'ts/index.ts' : 'ts/testing/index.ts')).href;
const known: KnownNames = new Map(publicNames().map(({ name, from, isType }) => [name, { from: library(from), isType }]));

interface Wrong {
  readonly code: ErrorCode;
  readonly file: string;
  readonly program: string;
  /** It has to be a program of its own, as worker threads run it again. */
  readonly isMain: boolean;
}

const wrong: readonly Wrong[] = codes.flatMap((code) =>
  fencesOf(errorPage(code)!)
    .filter(({ language, info }) => language === 'ts' && info.startsWith('wrong'))
    .map((fence) => ({ code, file: join(folder, `${code}-${fence.line}.ts`), program: exampleProgram(fence, known), isMain: fence.info === 'wrong main' })),
);

function run(args: readonly string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stderr }));
  });
}

let raised: Readonly<Record<string, string>>;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of exampleFiles) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const { file, program } of wrong) writeFileSync(file, program);
  const modules = wrong.filter(({ isMain }) => !isMain).map(({ file }) => file);
  const { code, stderr } = await run([join(ROOT, 'test/docs/raise-errors.ts'), join(folder, 'raised.json'), ...modules]);
  expect(code, stderr).toBe(0);
  raised = JSON.parse(readFileSync(join(folder, 'raised.json'), 'utf8')) as Readonly<Record<string, string>>;
}, TIMEOUT_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what a page shows as wrong raises its code', () => {
  test('there are such examples', () => {
    expect(wrong.length).toBeGreaterThan(30);
  });

  test.each(wrong.filter(({ isMain }) => !isMain))('$code', ({ code, file }) => {
    expect(raised[file]).toBe(code);
  });

  test.each(wrong.filter(({ isMain }) => isMain))('$code, as a program', { timeout: TIMEOUT_MS }, async ({ code, file }) => {
    const outcome = await run([file]);

    expect(outcome.code).not.toBe(0);
    expect(/^ {2}code: '(\w+)'/m.exec(outcome.stderr)?.[1], outcome.stderr).toBe(code);
  });
});

/** Plan errors that some call or check of this version raises. */
const raisable = (() => {
  const sources = globSync('ts/**/*.ts', { cwd: ROOT, exclude: ['**/*.generated.ts'] }).map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n');
  return codes.filter((code) => code.startsWith('SAGE_PLAN_') && sources.includes(`'${code}'`));
})();

describe('each code has a page', () => {
  test.each(codes)('%s', (code) => {
    const text = errorPage(code)!;
    const { message, help } = ERROR_TABLE[code];

    expect(text).toContain(`# ${code}\n`);
    expect(text).toContain(message);
    expect(text).toContain(help);
    // More than the table says: write it in crates/sage-types/error-pages.md.
    const more = text.split(help)[1]!.replace('[All errors](../errors.md)', '').trim();
    expect(more.length, `a section "## ${code}" in crates/sage-types/error-pages.md`).toBeGreaterThan(60);
    expect(new SageError(code, 'x').helpUrl).toBe(errorPageUrl(code));
    expect(readFileSync(new URL(errorPageUrl(code)), 'utf8')).toBe(text);
  });

  test.each(raisable)('%s, a mistake in a pipeline, shows what is wrong and what is right', (code) => {
    const infos = fencesOf(errorPage(code)!).filter(({ language }) => language === 'ts').map(({ info }) => info);

    expect(infos, `examples of ${code} in crates/sage-types/error-pages.md`).toEqual(expect.arrayContaining([expect.stringMatching(/^wrong/), '']));
  });

  test('and no page is left of a code that is gone', () => {
    expect(globSync('docs/errors/*.md', { cwd: ROOT }).map((path) => path.replaceAll('\\', '/')).toSorted()).toEqual(codes.map(errorPagePath).toSorted());
  });
});
