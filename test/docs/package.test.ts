import { spawnSync } from 'node:child_process';
import { existsSync, globSync, linkSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { nodeVersionMatches } from '../../scripts/setup/node-version.mjs';
import { ROOT } from '../../scripts/docs/source-file.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly type: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 120_000;
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
let packed: readonly string[];
let folder: string;

beforeAll(() => {
  expect(existsSync(join(ROOT, 'dist/index.js')), 'dist/ is missing: run npm run setup').toBe(true);
  const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8', shell: process.platform === 'win32' });
  expect(stdout, stderr).not.toBe('');
  packed = (JSON.parse(stdout) as { files: { path: string }[] }[])[0]!.files.map(({ path }) => path);
  folder = mkdtempSync(join(tmpdir(), 'sage-package-'));
}, TIMEOUT_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  test('holds what its manifest points to, its licence and its README', () => {
    const entry = manifest.exports['.'] as { types: string; default: string };
    const pointers = [entry.types, entry.default, manifest.exports['./package.json'] as string, ...Object.values(manifest.bin)];
    expect(packed).toEqual(expect.arrayContaining(pointers.map((path) => path.replace('./', ''))));
    expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'docs/errors/SAGE_PLAN_SINK.md', 'docs/README.md', 'docs/guide.md', 'docs/api/README.md', 'docs/llms.txt', 'docs/llms-full.txt', 'dist/runtime/worker/worker-main.js']));
    expect(packed.filter((path) => /^native\/sage-kernel\.[\w-]+\.node$/.test(path))).not.toEqual([]);
  });

  test('holds nothing else', () => {
    const others = packed.filter((path) => !/^(LICENSE|README\.md|package\.json|native\/sage-kernel\.[\w-]+\.node|docs\/.*\.md|docs\/llms(-full)?\.txt|dist\/.*\.(js|js\.map|d\.ts|d\.ts\.map)|templates\/.*)$/.test(path));
    expect(others).toEqual([]);
  });

  test('is under the licence that it says', () => {
    expect(manifest.license).toBe('Apache-2.0');
    expect(readFileSync(join(ROOT, 'LICENSE'), 'utf8')).toMatch(/^\s+Apache License\n\s+Version 2\.0, January 2004\n/);
  });

  test('runs on the Nodes that it says', () => {
    expect(nodeVersionMatches(process.version, manifest.engines.node)).toBe(true);
    for (const version of ['22.12.0', '24.0.0', '26.1.0']) expect(nodeVersionMatches(version, manifest.engines.node)).toBe(true);
    for (const version of ['18.20.0', '20.19.0', '22.11.0', '23.5.0', '25.0.0']) expect(nodeVersionMatches(version, manifest.engines.node)).toBe(false);
  });

  test('needs nothing at run time that it does not name', () => {
    const bundles = globSync('dist/**/*.js', { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), 'utf8'));
    const imported = bundles.flatMap((text) => [...text.matchAll(/^(?:import|export)\b[^'"]*?from ["']([^'"]+)["']/gm)].map((match) => match[1]!));
    const packages = new Set(imported.filter((specifier) => !/^(\.|node:)/.test(specifier)));
    expect([...packages].filter((name) => !(name in manifest.dependencies))).toEqual([]);
  });
});

describe('installed in an empty folder', () => {
  beforeAll(() => {
    for (const path of packed) {
      const target = join(folder, 'node_modules', manifest.name, path);
      mkdirSync(dirname(target), { recursive: true });
      try {
        linkSync(join(ROOT, path), target);
      } catch {
        copyFileSync(join(ROOT, path), target); // another file system
      }
    }
    for (const name of Object.keys(manifest.dependencies)) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      join(folder, 'main.ts'),
      `import { LocalEnvironment, sum } from 'sage-kernel';
const env = new LocalEnvironment('installed', { parallelism: 2 });
const totals: { key: number; total: number }[] = [];
env.fromCollection([1, 2, 3, 4]).map((n) => ({ n })).keyBy((r) => r.n % 2).aggregate({ total: sum('n') }).sink(totals);
const result = await env.submit({ autostop: true });
console.log(totals.toSorted((a, b) => a.key - b.key), result.isolates >= 2);
`,
    );
  });

  const node = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  const expected = '[ { key: 0, total: 6 }, { key: 1, total: 4 } ] true\n';

  test('it runs a pipeline, with worker threads', { timeout: TIMEOUT_MS }, () => {
    expect(node('main.ts')).toMatchObject({ stdout: expected, status: 0 });
  });

  test('its command runs and explains it', { timeout: TIMEOUT_MS }, () => {
    const bin = join('node_modules', manifest.name, manifest.bin['sage-kernel']!);
    expect(node(bin, '--version')).toMatchObject({ stdout: `${manifest.version}\n`, status: 0 });
    expect(node(bin, 'run', 'main.ts')).toMatchObject({ stdout: expected, status: 0 });
    expect(node(bin, 'explain', 'main.ts', '--level', 'physical')).toMatchObject({ stdout: expect.stringMatching(/^Physical plan\n/), status: 0 });
  });

  test('its command makes a project of a template, and has what dev needs', { timeout: TIMEOUT_MS }, () => {
    const bin = join('node_modules', manifest.name, manifest.bin['sage-kernel']!);
    expect(node(bin, 'init', 'project', '--template', 'script')).toMatchObject({ stdout: expect.stringContaining('  main.ts\n'), status: 0 });
    expect(node(bin, 'run', 'project/main.ts')).toMatchObject({ stdout: expect.stringContaining('3000 readings, finished\n'), status: 0 });
    expect(existsSync(join(folder, 'node_modules', manifest.name, 'dist/cli/dev/dev-child.js'))).toBe(true);
  });

  test('its command is a script for the shell', () => {
    expect(readFileSync(join(ROOT, manifest.bin['sage-kernel']!), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('its types are complete', { timeout: TIMEOUT_MS }, () => {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true, noEmit: true, module: 'nodenext', target: 'es2023', lib: ['es2024', 'esnext.disposable'], types: ['node'],
          typeRoots: [join(ROOT, 'node_modules/@types')], skipLibCheck: false,
        },
        files: ['main.ts'],
      }),
    );
    const { stdout } = node(join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.');
    expect(stdout.split('\n').filter((line) => !line.includes('@types'))).toEqual(['']);
  });
});
