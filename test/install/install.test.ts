import { build } from 'esbuild';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { installedProject, nodes, type Outcome, packAll, platform, platformFlags, ROOT, run, runAsync, type Tarballs, toolFolder } from './support/installed-project.ts';
import { startRegistry } from './support/registry.ts';

// What a person gets: tarballs installed by npm in an empty folder, without scripts, network, cargo or a compiler, and run. Heavy
// runs do it with Node 22, 24 and 26 (SAGE_INSTALL_NODES).

const TIMEOUT_MS = 300_000;
/** What is downloaded and what lies on the disk; a core with debug information in it is several times as large. */
const BUDGETS = { mainPackedBytes: 1750 * 1024, corePackedBytes: 7.5 * 1024 * 1024, unpackedBytes: 28 * 1024 * 1024 };

let tarballs: Tarballs;
let folder: string;
const folders: string[] = [toolFolder];

beforeAll(() => {
  tarballs = packAll();
  folders.push(tarballs.folder);
  folder = installedProject([tarballs.main, tarballs.core, ...tarballs.dependencies], { type: 'module' });
  folders.push(folder);
}, TIMEOUT_MS);
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

const totals = (isolates: number): string => `${JSON.stringify({ totals: [{ key: 0, total: 6 }, { key: 1, total: 4 }], isolates })}\n`;
const ok = (stdout: string): Outcome => ({ status: 0, stdout, stderr: '' });

describe('what is installed', () => {
  test('is small', () => {
    expect(statSync(tarballs.main).size).toBeLessThan(BUDGETS.mainPackedBytes);
    expect(statSync(tarballs.core).size, 'the core: is it a release build? npm run setup makes one').toBeLessThan(BUDGETS.corePackedBytes);
    const files = globSync('node_modules/sage-kernel*/**/*', { cwd: folder }).map((file) => statSync(join(folder, file)));
    expect(files.filter((file) => file.isFile()).reduce((sum, file) => sum + file.size, 0)).toBeLessThan(BUDGETS.unpackedBytes);
  });

  test('has one core, in the package of the platform, and no scripts that run at installation', () => {
    expect(globSync('node_modules/**/*.node', { cwd: folder }).map((file) => file.replaceAll('\\', '/'))).toEqual([`node_modules/sage-kernel-${platform}/sage-kernel.${platform}.node`]);
    for (const name of ['sage-kernel', `sage-kernel-${platform}`]) {
      expect(JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'))).not.toHaveProperty('scripts');
    }
  });

  test('links from each of its documents only to what is there', () => {
    const root = join(folder, 'node_modules/sage-kernel');
    const documents = globSync(['*.md', 'docs/**/*.{md,txt}', 'templates/**/*.md'], { cwd: root });
    const links = documents.flatMap((document) => [...readFileSync(join(root, document), 'utf8').matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target]) => ({ document, target: target! })));
    const relative = links.filter(({ target }) => !/^https?:/.test(target));
    expect(relative.length).toBeGreaterThan(1_000);
    expect(relative.filter(({ document, target }) => !existsSync(join(root, dirname(document), target)))).toEqual([]);
    // What maps declarations to sources would lead to files that are not there either; those of the code hold the sources.
    const maps = globSync('dist/**/*.map', { cwd: root });
    expect(maps.filter((map) => !map.endsWith('.js.map'))).toEqual([]);
    for (const map of maps) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(join(root, map), 'utf8')) as { sources: string[]; sourcesContent?: (string | null)[] };
      expect(sourcesContent?.filter((text) => typeof text === 'string'), map).toHaveLength(sources.length);
    }
    const dangling = globSync('dist/**/*.{js,d.ts}', { cwd: root }).filter((file) => {
      const map = /^\/\/# sourceMappingURL=(.+)$/m.exec(readFileSync(join(root, file), 'utf8'))?.[1];
      return map !== undefined && !existsSync(join(root, dirname(file), map));
    });
    expect(dangling).toEqual([]);
  });

  test('was installed where neither Rust nor a compiler can be found', () => {
    for (const tool of ['cargo', 'rustc', ...(process.platform === 'win32' ? [] : ['cc', 'gcc', 'make'])]) expect(run(tool, ['--version'], folder).status, tool).not.toBe(0);
  });

  test('names a package for each platform that there are cores for', () => {
    const { napi } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { napi: { targets: string[] } };
    const installed = JSON.parse(readFileSync(join(folder, 'node_modules/sage-kernel/package.json'), 'utf8')) as { version: string; optionalDependencies: Record<string, string> };
    expect(Object.keys(installed.optionalDependencies)).toHaveLength(napi.targets.length);
    expect(installed.optionalDependencies).toHaveProperty([`sage-kernel-${platform}`], installed.version);
  });
});

describe('npm, asked for sage-kernel alone, takes from a registry', () => {
  test.each([
    ['the core of this platform and no other', [], platform],
    ['that of macOS on Apple silicon', ['--os=darwin', '--cpu=arm64'], 'darwin-arm64'],
    ['that of Alpine on arm64', ['--os=linux', '--cpu=arm64', '--libc=musl'], 'linux-arm64-musl'],
    ['that of Windows', ['--os=win32', '--cpu=x64'], 'win32-x64-msvc'],
  ])('%s', { timeout: TIMEOUT_MS }, async (_what, flags, expected) => {
    await using registry = await startRegistry(tarballs);
    const project = mkdtempSync(join(tmpdir(), 'sage-registry-'));
    folders.push(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    const install = ['install', 'sage-kernel', '--ignore-scripts', '--no-audit', '--no-fund', '--registry', registry.url, '--cache', join(project, '.cache')];
    const { status, stderr } = await runAsync('npm', [...install, ...(flags.length > 0 ? flags : platformFlags)], project);
    expect(status, stderr).toBe(0);
    expect(registry.downloads.filter((name) => name !== 'flatbuffers').toSorted()).toEqual(['sage-kernel', `sage-kernel-${expected}`]);
  });
});

describe.each(nodes)('on %s', (node) => {
  const program = (...args: string[]): Outcome => run(node, args, folder);

  test('an ES module runs a job over files with two worker threads', { timeout: TIMEOUT_MS }, () => {
    const bids = Array.from({ length: 10_000 }, (_, n) => ({ auction: n % 7, price: (n * 37) % 500 }));
    writeFileSync(join(folder, 'bids.jsonl'), bids.map((bid) => `${JSON.stringify(bid)}\n`).join(''));
    rmSync(join(folder, 'totals.jsonl'), { force: true });
    expect(program('esm.mjs')).toEqual(ok('{"recordsIn":10000,"isolates":2}\n'));
    const written = readFileSync(join(folder, 'totals.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { key: number });
    const groups = Map.groupBy(bids.filter(({ price }) => price > 100), ({ auction }) => auction);
    const expected = [...groups].map(([key, group]) => ({ key, bids: group.length, total: group.reduce((sum, { price }) => sum + price, 0) }));
    expect(written.toSorted((a, b) => a.key - b.key)).toEqual(expected.toSorted((a, b) => a.key - b.key));
  });

  test('the test kit is imported by its own name, and is of the same engine', { timeout: TIMEOUT_MS }, () => {
    expect(program('testing.mjs')).toEqual(ok('{"found":[{"key":0,"bids":5},{"key":1,"bids":5}],"isOne":true}\n'));
  });

  test('require() gives it to a CommonJS file, with two worker threads', { timeout: TIMEOUT_MS }, () => {
    expect(program('require.cjs')).toEqual(ok(totals(3)));
  });

  test('a project that is CommonJS throughout uses it', { timeout: TIMEOUT_MS }, () => {
    const project = join(folder, 'commonjs');
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    cpSync(join(folder, 'require.cjs'), join(project, 'main.js'));
    expect(run(node, ['main.js'], project)).toEqual(ok(totals(3)));
  });

  test('two threads of the program run jobs beside the main thread', { timeout: TIMEOUT_MS }, () => {
    expect(program('two-threads.mjs')).toEqual(ok('[[1,4,9],[1,4,9],[1,4,9]]\n'));
  });

  test('TypeScript runs as it is, where Node strips types', { timeout: TIMEOUT_MS }, () => {
    const [major, minor] = program('--print', 'process.versions.node').stdout.split('.').map(Number) as [number, number];
    const strips = major > 22 || minor >= 18;
    expect(program('typed.ts')).toEqual(strips ? ok(totals(3)) : expect.objectContaining({ status: 1 }));
  });

  test.each(['esm', 'cjs'] as const)('an esbuild bundle (%s) with sage-kernel external runs with two worker threads', { timeout: TIMEOUT_MS }, async (format) => {
    // A format without top-level await: the program is the one that has none.
    const entry = format === 'esm' ? 'typed.ts' : 'require.cjs';
    const outfile = join(folder, 'bundles', format === 'esm' ? 'bundle.mjs' : 'bundle.cjs');
    await build({ entryPoints: [join(folder, entry)], outfile, bundle: true, platform: 'node', format, external: ['sage-kernel'], logLevel: 'silent' });
    expect(readFileSync(outfile, 'utf8')).not.toContain('createRequire');
    expect(program(outfile)).toEqual(ok(totals(3)));
  });

  test.each(['esm', 'cjs'] as const)('a bundle (%s) that swallowed sage-kernel says what to do', { timeout: TIMEOUT_MS }, async (format) => {
    const outfile = join(folder, 'bundles', format === 'esm' ? 'swallowed.mjs' : 'swallowed.cjs');
    await build({ entryPoints: [join(folder, 'require.cjs')], outfile, bundle: true, platform: 'node', format, logLevel: 'silent' });
    const { status, stderr } = program(outfile);
    expect(status).toBe(1);
    expect(stderr).toMatch(/SageError.*was bundled into another file/);
    expect(stderr).toContain('esbuild --external:sage-kernel');
  });

  test('its command runs a program', { timeout: TIMEOUT_MS }, () => {
    const command = join('node_modules', 'sage-kernel', 'dist', 'cli', 'main.js');
    expect(program(command, '--version')).toMatchObject({ status: 0, stdout: '0.1.0\n' });
    expect(program(command, 'run', 'require.cjs')).toMatchObject({ status: 0, stdout: totals(3) });
  });

  describe('without its core', () => {
    const place = (): string => join(folder, 'node_modules', `sage-kernel-${platform}`);

    test('the error names the platform and the fix', { timeout: TIMEOUT_MS }, () => {
      renameSync(place(), join(folder, 'aside'));
      try {
        const { status, stderr } = program('require.cjs');
        expect(status).toBe(1);
        expect(stderr).toContain(`the native core for ${platform} is not installed`);
        expect(stderr).toMatch(/fix: Delete node_modules .*--omit=optional/);
        expect(stderr).toContain('SAGE_NATIVE_MISSING');
      } finally {
        renameSync(join(folder, 'aside'), place());
      }
    });

    test('and a damaged file is told from a missing one', { timeout: TIMEOUT_MS }, () => {
      const file = join(place(), `sage-kernel.${platform}.node`);
      const whole = readFileSync(file);
      try {
        rmSync(file); // it may be mapped: a new file, not another content
        writeFileSync(file, whole.subarray(0, 20));
        const { status, stderr } = program('require.cjs');
        expect(status).toBe(1);
        expect(stderr).toMatch(/SAGE_NATIVE_LOAD/);
        expect(stderr).toMatch(/fix: .*npm install/);
      } finally {
        rmSync(file);
        writeFileSync(file, whole);
      }
    });
  });
});

describe('the types', () => {
  test.each([
    ['typed.ts', { module: 'nodenext' }],
    ['commonjs.cts', { module: 'nodenext' }],
    ['typed.ts', { module: 'esnext', moduleResolution: 'bundler' }],
    ['typed.ts', { module: 'preserve' }],
  ])('%s compiles in strict mode with %j, libraries checked', { timeout: TIMEOUT_MS }, (file, modules) => {
    writeFileSync(join(folder, 'commonjs.cts'), "import { LocalEnvironment } from 'sage-kernel';\nexport const env: LocalEnvironment = new LocalEnvironment('from CommonJS');\n");
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true, noEmit: true, ...modules, target: 'es2023', lib: ['es2024', 'esnext.disposable'], types: ['node'],
          typeRoots: [join(ROOT, 'node_modules/@types')], skipLibCheck: false, allowImportingTsExtensions: true,
        },
        files: [file],
      }),
    );
    const { stdout } = run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], folder);
    expect(stdout.split('\n').filter((line) => !line.includes('@types'))).toEqual(['']);
  });
});
