import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { anchorsOf } from '../../scripts/docs/heading-anchors.ts';
import { publicNames } from '../../scripts/docs/public-names.ts';
import { ROOT } from '../../scripts/docs/source-file.ts';
import { documents } from './documents.ts';
import { exampleProgram, type KnownNames } from './example-program.ts';
import { writeExampleFiles } from './example-files.ts';
import { type Fence, infoValue } from './fences.ts';
import { commandProblem } from './shell-commands.ts';

// Conventions of our documents, so that nothing in them is only said:
//   ```ts                   a program; public names, `env` and the final submit need not be written
//   ```ts program=bids.ts   the same, with a name for the commands of the document
//   ```ts file=bids.ts      a file beside the document's programs, which may import it
//   ```ts excerpt=path      lines of that file
//   ```ts signature         a declaration
//   ```ts example           runs where it is written, in a doc comment
//   ```text output          exactly what the program before it prints
//   ```text plan            lines of what the program before it prints
//   ```text from=path       lines of what that program prints
//   ```sh                   commands that exist

/** In the repository, so that programs import the package by its own name. */
const folder = join(ROOT, 'out', `docs-${process.pid}`);
const TIMEOUT_MS = 180_000;

interface Example {
  readonly title: string;
  readonly file: string;
  readonly program: string;
  readonly output: string | undefined;
  readonly plan: readonly string[];
}

const docs = documents();
const slug = (path: string): string => path.replaceAll(/[^\w.]+/g, '-').replace(/\.(md|ts)$/, '');
const placeOf = (path: string): string => join(folder, slug(path));
const trimmedLines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && line !== '...');

const named = docs.flatMap(({ path, fences }) =>
  fences.flatMap((fence) => {
    const name = fence.language === 'ts' ? infoValue(fence, 'file') : undefined;
    return name === undefined ? [] : [{ path, name, text: fence.text }];
  }),
);

const examples: Example[] = docs.flatMap(({ path, fences }) => {
  const known: KnownNames = new Map<string, { from: string; isType: boolean }>([
    ...publicNames().map(({ name, from, isType }) => [name, { from, isType }] as const),
    ...named.filter((file) => file.path === path).flatMap(({ name, text }) => exportsOf(text).map((exported) => [exported.name, { from: `./${name}`, isType: exported.isType }] as const)),
  ]);
  return fences.flatMap((fence, n) => {
    if (fence.language !== 'ts' || (fence.info !== '' && infoValue(fence, 'program') === undefined)) return [];
    const next = fences[n + 1];
    return [
      {
        title: `${path}:${fence.line}`,
        file: join(placeOf(path), `line-${fence.line}.ts`),
        program: exampleProgram(fence, known),
        output: next?.language === 'text' && next.info === 'output' ? next.text : undefined,
        plan: next?.language === 'text' && next.info === 'plan' ? trimmedLines(next.text) : [],
      },
    ];
  });
});

const blocks = (language: string, has: (fence: Fence) => boolean): { title: string; path: string; fence: Fence }[] =>
  docs.flatMap(({ path, fences }) =>
    fences.filter((fence) => fence.language === language && has(fence)).map((fence) => ({ title: `${path}:${fence.line}`, path, fence })),
  );

function exportsOf(code: string): { name: string; isType: boolean }[] {
  return [...code.matchAll(/^export (?:abstract )?(const|class|function|interface|type) (\w+)/gm)].map(([, kind, name]) => ({
    name: name!,
    isType: kind === 'interface' || kind === 'type',
  }));
}

function run(args: readonly string[], cwd: string): Promise<{ code: number | null; stdout: string; all: string }> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (all += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, all }));
  });
}

beforeAll(() => {
  expect(existsSync(join(ROOT, 'dist/index.js')), 'dist/ is missing: run npm run setup').toBe(true);
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  for (const { path } of docs) writeExampleFiles(placeOf(path));
  for (const { path, name, text } of named) write(join(placeOf(path), name), text);
  for (const { file, program } of examples) write(file, program);
  write(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.check.json', compilerOptions: { noUnusedLocals: false, noUnusedParameters: false }, include: ['.'] }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('there are examples to run', () => {
  expect(examples.map(({ title }) => title).join(' ')).toMatch(/README\.md.*ts\/datastream\/data-stream\.ts/);
});

test('all examples type-check', { timeout: TIMEOUT_MS }, async () => {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { all } = await run([tsc, '-p', folder], ROOT);
  // Errors of the sources are the type check's to tell, which sees them without examples too.
  expect(all.split('\n').filter((line) => line.startsWith('out') || line.startsWith('error '))).toEqual([]);
});

describe.concurrent('the example runs', () => {
  test.each(examples)('$title', { timeout: TIMEOUT_MS }, async ({ file, output, plan }) => {
    const { code, stdout, all } = await run([file], dirname(file));
    expect(code, all).toBe(0);
    if (output !== undefined) expect(stdout).toBe(output);
    if (plan.length > 0) expect(trimmedLines(stdout)).toEqual(expect.arrayContaining([...plan]));
  });
});

describe('the excerpt is in its file', () => {
  test.each(blocks('ts', (fence) => infoValue(fence, 'excerpt') !== undefined))('$title', ({ fence }) => {
    const lines = new Set(trimmedLines(readFileSync(join(ROOT, infoValue(fence, 'excerpt')!), 'utf8')));
    expect(trimmedLines(fence.text).filter((line) => !lines.has(line))).toEqual([]);
  });
});

describe.concurrent('the output is what the program prints', () => {
  test.each(blocks('text', (fence) => infoValue(fence, 'from') !== undefined))('$title', { timeout: TIMEOUT_MS }, async ({ fence }) => {
    const { code, stdout, all } = await run([join(ROOT, infoValue(fence, 'from')!)], ROOT);
    expect(code, all).toBe(0);
    const lines = new Set(trimmedLines(stdout));
    expect(trimmedLines(fence.text).filter((line) => !lines.has(line))).toEqual([]);
  });
});

describe('the commands exist', () => {
  test.each(blocks('sh', () => true))('$title', ({ path, fence }) => {
    const programs = blocks('ts', (block) => infoValue(block, 'program') !== undefined).map((block) => ({ path: block.path, name: infoValue(block.fence, 'program')! }));
    const files = new Set([...named, ...programs].filter((file) => file.path === path).map(({ name }) => name));
    const commands = trimmedLines(fence.text).map((line) => line.replace(/(^| )#.*$/, '').trim()).filter((line) => line !== '');
    expect(commands.map((line) => [line, commandProblem(line, files)]).filter(([, problem]) => problem !== undefined)).toEqual([]);
  });

  test('and one that does not is found', () => {
    expect(commandProblem('npm run no-such-script', new Set())).toBe('package.json has no script no-such-script');
    expect(commandProblem('sage-kernel develop main.ts', new Set())).toMatch(/no command 'develop'/);
    expect(commandProblem('npx sage-kernel run missing.ts', new Set())).toBe('there is no missing.ts');
    expect(commandProblem('SAGE_NO_SUCH_SWITCH=1 npm start', new Set())).toMatch(/does not name SAGE_NO_SUCH_SWITCH/);
  });
});

/** Whether there is such a file, and in a page the heading, in a source the line. */
function leadsSomewhere(from: string, to: string, anchor: string | undefined): boolean {
  const target = to === '' ? join(ROOT, from) : join(ROOT, dirname(from), to);
  if (!existsSync(target)) return false;
  if (anchor === undefined) return true;
  const text = readFileSync(target, 'utf8');
  return target.endsWith('.md') ? anchorsOf(text).has(anchor) : Number(/^L(\d+)$/.exec(anchor)?.[1]) <= text.split('\n').length;
}

describe('links between documents lead somewhere', () => {
  test('and one that does not is found', () => {
    expect(leadsSomewhere('docs/guide.md', 'no-such-page.md', undefined)).toBe(false);
    expect(leadsSomewhere('docs/guide.md', 'streams.md', 'no-such-heading')).toBe(false);
    expect(leadsSomewhere('docs/guide.md', '../ts/index.ts', 'L100000')).toBe(false);
    expect(leadsSomewhere('docs/guide.md', 'streams.md', 'giving-up')).toBe(true);
  });

  const markdown = docs.map(({ path }) => path).filter((path) => path.endsWith('.md'));
  test.each(markdown)('%s', (path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const prose = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
    const links = [...prose.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, to, anchor]) => ({ to: to!, anchor }));
    expect(links.filter(({ to, anchor }) => !leadsSomewhere(path, to, anchor))).toEqual([]);
    const files = [...text.matchAll(/`((?:ts|crates|test|scripts|examples|docs|bench)\/[\w./-]+\.\w+)`/g)].map((match) => match[1]!);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});
