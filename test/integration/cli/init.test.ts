import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, sep } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import manifest from '../../../package.json' with { type: 'json' };
import { askTemplate } from '../../../ts/cli/init/ask.ts';
import { TEMPLATES, type TemplateName } from '../../../ts/cli/init/templates.ts';
import { sageKernel } from './run-cli.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TIMEOUT_MS = 120_000;
const names = Object.keys(TEMPLATES) as TemplateName[];

interface Manifest {
  readonly name: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

let folder: string;
beforeAll(() => {
  expect(existsSync(join(ROOT, 'dist/index.js')), 'dist/ is missing: run npm run setup').toBe(true);
  folder = mkdtempSync(join(tmpdir(), 'sage-init-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As `npm install` leaves it: this package and the tools that the template names, and their commands. */
function install(project: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  mkdirSync(join(modules, '@types'));
  symlinkSync(ROOT, join(modules, 'sage-kernel'), 'junction');
  for (const name of ['typescript', '@types/node', 'undici-types']) {
    if (existsSync(join(ROOT, 'node_modules', name))) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'junction');
  }
  const commands = { 'sage-kernel': join(ROOT, manifest.bin['sage-kernel']), tsc: join(ROOT, 'node_modules/typescript/bin/tsc') };
  for (const [name, file] of Object.entries(commands)) writeFileSync(join(modules, '.bin', name), `#!/bin/sh\nexec node "${file}" "$@"\n`, { mode: 0o755 });
}

/** A script of the project, as npm runs it: by a shell with the commands of the packages on its path. */
function runScript(project: string, script: string): { status: number | null; stdout: string; stderr: string } {
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;
  const path = [join(project, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH']].join(delimiter);
  const { status, stdout, stderr } = spawnSync(scripts[script]!, { cwd: project, shell: true, encoding: 'utf8', env: { ...process.env, PATH: path, NO_COLOR: '1' } });
  return { status, stdout, stderr };
}

test('every template has a folder, and every folder is a template', () => {
  expect(readdirSync(join(ROOT, 'templates')).toSorted()).toEqual(names.toSorted());
});

test.each(names)('%s needs what this repository is tested with', (name) => {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'templates', name, 'package.json'), 'utf8')) as Manifest;
  const { typescript, '@types/node': types } = manifest.devDependencies;
  expect(devDependencies).toMatchObject({ typescript, '@types/node': types });
});

test.each(names)('the README of %s names scripts that there are, and all of them', (name) => {
  const project = join(ROOT, 'templates', name);
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;
  const named = [...readFileSync(join(project, 'README.md'), 'utf8').matchAll(/^\| `npm (?:run )?(\w+)` \|/gm)].map((match) => match[1]!);
  expect(named.toSorted()).toEqual(Object.keys(scripts).toSorted());
});

describe.skipIf(process.platform === 'win32')('a project that init makes', () => {
  const started: Readonly<Record<TemplateName, RegExp>> = {
    script: /^cellar: 750 readings, 12\.0 on average, at most 13$[^]*^3000 readings, finished$/m,
    files: /^24 orders, 4 customers in out\/totals\.jsonl$/m,
    agent: /^call back at once: ticket 1, [^]*^ticket 2 to the desk for billing$[^]*^4 tickets, finished$/m,
    library: /^\/start: 2 visits, 10 s on average$/m,
  };

  test.each(names)('of the template %s starts, passes its tests and is explained', { timeout: TIMEOUT_MS }, async (name) => {
    // Given
    const project = join(folder, `My ${name}`);
    const { code, stdout } = await sageKernel(['init', project, '--template', name]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Made .*\n( {2}\S+\n)+Next:\n {2}cd .*\n {2}npm install\n {2}npm start\n$/);
    install(project);
    // When
    const start = runScript(project, 'start');
    const tested = runScript(project, 'test');
    // Then
    expect(start.stdout, start.stderr).toMatch(started[name]);
    expect(start.status).toBe(0);
    expect(tested.status, tested.stdout + tested.stderr).toBe(0);
    if (name !== 'script') expect(tested.stdout).toMatch(/^. pass [23]\n. fail 0$/m);
    if (name === 'library') {
      expect(runScript(project, 'build')).toMatchObject({ status: 0 });
      expect(readdirSync(join(project, 'dist'))).toEqual(expect.arrayContaining(['index.js', 'index.d.ts']));
    } else expect(runScript(project, 'explain')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Logical plan\n/) });
  });

  test('has its own name, this version of the package and a .gitignore', async () => {
    const project = join(folder, 'Über Totals!');
    const { stdout } = await sageKernel(['init', project, '-t', 'library', '--json']);
    const created = JSON.parse(stdout) as { template: string; folder: string; files: string[] };
    expect(created).toMatchObject({ template: 'library', folder: project });
    const written = readdirSync(project, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(created.files.toSorted()).toEqual(written.map(({ parentPath, name }) => join(parentPath, name).slice(project.length + 1).replaceAll(sep, '/')).toSorted());
    expect(created.files).toContain('.gitignore');
    const own = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;
    expect(own.name).toBe('ber-totals');
    expect([own.peerDependencies?.['sage-kernel'], own.devDependencies['sage-kernel']]).toEqual([`^${manifest.version}`, `^${manifest.version}`]);
  });
});

describe('init refuses', () => {
  test('a folder that holds something, unless --force overwrites files of the same names', async () => {
    const project = join(folder, 'full');
    mkdirSync(join(project, '.git'), { recursive: true });
    writeFileSync(join(project, 'main.ts'), 'mine');
    writeFileSync(join(project, 'notes.md'), 'mine too');
    const refused = await sageKernel(['init', project, '--template', 'script']);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/is not empty \(main\.ts\)\. Give another folder, or --force/) });
    expect(readdirSync(project).toSorted()).toEqual(['.git', 'main.ts', 'notes.md']);
    const forced = await sageKernel(['init', project, '--template', 'script', '--force']);
    expect(forced.code).toBe(0);
    expect(readFileSync(join(project, 'main.ts'), 'utf8')).toContain('LocalEnvironment');
    expect(readFileSync(join(project, 'notes.md'), 'utf8')).toBe('mine too');
  });

  test('a file; but not a folder with nothing but a repository', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await sageKernel(['init', file, '--template', 'script'])).toMatchObject({ code: 2, stderr: expect.stringContaining('is a file') });
    mkdirSync(join(folder, 'fresh/.git'), { recursive: true });
    expect(await sageKernel(['init', '--template', 'script'], { cwd: join(folder, 'fresh') })).toMatchObject({ code: 0 });
  });

  test('to guess a template where there is nobody to ask', async () => {
    const { code, stderr } = await sageKernel(['init', join(folder, 'which')]);
    expect(stderr).toBe('sage-kernel: Which template? Write --template script, or --template files, or --template agent, or --template library.\n');
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'which'))).toBe(false);
  });
});

describe('on a terminal init asks', () => {
  /** Types these lines and ends. */
  async function answer(...lines: readonly string[]): Promise<{ chosen: TemplateName; shown: string }> {
    const [input, output] = [new PassThrough(), new PassThrough()];
    let shown = '';
    let typed = 0;
    output.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      // An answer to each question, as a person does
      if (!text.endsWith(': ')) return;
      const line = lines[typed++];
      if (line === undefined) input.end();
      else input.write(`${line}\n`);
    });
    return { chosen: await askTemplate(input, output), shown };
  }

  test('for a name or a number, until it is one', async () => {
    expect(await answer('agent')).toMatchObject({ chosen: 'agent' });
    expect(await answer('2')).toMatchObject({ chosen: 'files' });
    expect(await answer('')).toMatchObject({ chosen: 'script' });
    const { chosen, shown } = await answer('web', '0', 'LIBRARY ');
    expect(chosen).toBe('library');
    expect(shown).toContain("There is no template 'web'.\n");
    for (const [name, { summary }] of Object.entries(TEMPLATES)) expect(shown).toMatch(new RegExp(`^ {2}\\d {2}${name} +${summary}$`, 'm'));
  });

  test('and makes nothing when there is no answer', async () => {
    await expect(answer('web')).rejects.toMatchObject({ name: 'AbortError' });
  });
});
