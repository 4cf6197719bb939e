import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

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

beforeAll(() => {
  expect(existsSync(join(ROOT, 'dist/index.js')), 'dist/ is missing: run npm run setup').toBe(true);
  const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8', shell: process.platform === 'win32' });
  expect(stdout, stderr).not.toBe('');
  packed = (JSON.parse(stdout) as { files: { path: string }[] }[])[0]!.files.map(({ path }) => path);
}, TIMEOUT_MS);

// What becomes of it when it is installed is in test/install.
describe('the package', () => {
  test('holds what its manifest points to, its licence and its README', () => {
    const entry = manifest.exports['.'] as { types: string; default: string };
    const testing = manifest.exports['./testing'] as { types: string; default: string };
    const pointers = [entry.types, entry.default, testing.types, testing.default, manifest.exports['./package.json'] as string, ...Object.values(manifest.bin)];
    expect(packed).toEqual(expect.arrayContaining(pointers.map((path) => path.replace('./', ''))));
    expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'docs/errors/SAGE_PLAN_SINK.md', 'docs/README.md', 'docs/guide.md', 'docs/api/README.md', 'docs/llms.txt', 'docs/llms-full.txt', 'templates/script/main.ts', 'dist/cli/dev/dev-child.js', 'dist/runtime/worker/worker-main.js']));
  });

  test('has a command that a shell can run', () => {
    expect(readFileSync(join(ROOT, manifest.bin['sage-kernel']!), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('holds nothing else: the cores are packages of their own', () => {
    const others = packed.filter((path) => !/^(LICENSE|README\.md|package\.json|docs\/.*\.md|docs\/llms(-full)?\.txt|dist\/.*\.(js|js\.map|d\.ts)|templates\/.*)$/.test(path));
    expect(others).toEqual([]);
  });

  test('does not load the test kit with its main entry', () => {
    const loaded = new Set<string>();
    const load = (path: string): void => {
      if (loaded.has(path)) return;
      loaded.add(path);
      const text = readFileSync(path, 'utf8');
      for (const [, specifier] of text.matchAll(/(?:^(?:import|export)\b[^'"]*?|\bimport\()["'](\.[^'"]+)["']/gm)) load(join(dirname(path), specifier!));
    };
    load(join(ROOT, 'dist/index.js'));
    expect(loaded.size).toBeGreaterThan(5);
    expect([...loaded].filter((path) => /class TestEnvironment|TestEnvironment = class/.test(readFileSync(path, 'utf8')))).toEqual([]);
    expect(readFileSync(join(ROOT, 'dist/testing/index.js'), 'utf8')).toMatch(/class TestEnvironment|TestEnvironment = class/);
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
