import { describe, expect, test } from 'vitest';

import { SageError } from '../../../../ts/common/errors.ts';
import type { CoreSurroundings, VersionedCore } from '../../../../ts/runtime/native/core-surroundings.ts';
import { findCore } from '../../../../ts/runtime/native/find-core.ts';

const LINUX = { platform: 'linux', arch: 'x64', libc: 'glibc' } as const;
const PREBUILT = ['linux-x64-gnu', 'linux-arm64-gnu', 'linux-x64-musl', 'darwin-arm64', 'win32-x64-msvc'];
const optionalDependencies = Object.fromEntries(PREBUILT.map((name) => [`sage-kernel-${name}`, '1.2.3']));
const published = { name: 'sage-kernel', version: '1.2.3', optionalDependencies };
const checkout = { name: 'sage-kernel', version: '1.2.3' };
const LOCAL = '/app/node_modules/sage-kernel/native/sage-kernel.linux-x64-gnu.node';

/** A core that only knows its version; the finder asks it nothing else. */
const core = (version: string): VersionedCore => ({ crateVersion: () => version }) as VersionedCore;

interface World extends Partial<CoreSurroundings> {
  /** Files that are there, with what loading them does. */
  readonly files?: Readonly<Record<string, () => VersionedCore>>;
  /** Installed packages and the file each stands for. */
  readonly packages?: Readonly<Record<string, string>>;
}

function surroundings({ files = {}, packages = {}, ...rest }: World): CoreSurroundings {
  return {
    host: LINUX,
    nodeVersion: '24.21.0',
    root: '/app/node_modules/sage-kernel',
    readManifest: () => published,
    fileExists: (path) => path in files,
    resolvePackage: (name) => packages[name],
    load: (file) => files[file]!(),
    glibcVersion: () => '2.36',
    ...rest,
  };
}

function problem(world: World): SageError {
  try {
    findCore(surroundings(world));
  } catch (error) {
    if (error instanceof SageError) return error;
    throw error;
  }
  throw new Error('it was found');
}

const failing = (message: string) => (): VersionedCore => {
  throw Object.assign(new Error(message), { code: 'ERR_DLOPEN_FAILED' });
};

describe('the core that is loaded', () => {
  const ours = core('1.2.3');
  const packaged = core('1.2.3');
  const packages = { 'sage-kernel-linux-x64-gnu': '/app/node_modules/sage-kernel-linux-x64-gnu/sage-kernel.linux-x64-gnu.node' };
  const files = { [packages['sage-kernel-linux-x64-gnu']]: () => packaged };

  test('is that of the platform package', () => {
    expect(findCore(surroundings({ files, packages }))).toBe(packaged);
  });

  test('is the one that was built here, when there is one', () => {
    expect(findCore(surroundings({ files: { ...files, [LOCAL]: () => ours }, packages }))).toBe(ours);
  });

  test.each([
    [{ platform: 'linux', arch: 'x64', libc: 'musl' }, 'linux-x64-musl'],
    [{ platform: 'linux', arch: 'arm64', libc: 'glibc' }, 'linux-arm64-gnu'],
    [{ platform: 'darwin', arch: 'arm64', libc: undefined }, 'darwin-arm64'],
    [{ platform: 'win32', arch: 'x64', libc: undefined }, 'win32-x64-msvc'],
  ] as const)('on %o is that of %s and of no other', (host, name) => {
    const all = Object.fromEntries(PREBUILT.map((other) => [`sage-kernel-${other}`, `/${other}.node`]));
    expect(findCore(surroundings({ host, packages: all, files: { [`/${name}.node`]: () => ours } }))).toBe(ours);
  });
});

describe('no core: the error names the platform, what was tried, and one fix', () => {
  test('on a platform without one', () => {
    const error = problem({ host: { platform: 'freebsd', arch: 'x64', libc: undefined } });
    expect(error.code).toBe('SAGE_NATIVE_MISSING');
    expect(error.message).toBe(
      `there is no native core for freebsd-x64 (freebsd x64, Node 24.21.0)
  tried: /app/node_modules/sage-kernel/native/sage-kernel.freebsd-x64.node: there is no such file
  tried: sage-kernel-freebsd-x64: the package is not installed
  fix: Run it on one of linux-x64-gnu, linux-arm64-gnu, linux-x64-musl, darwin-arm64, win32-x64-msvc, or build sage-kernel from its sources.`.replaceAll('/', process.platform === 'win32' ? '\\' : '/'),
    );
  });

  test('when npm left the optional package out', () => {
    const error = problem({});
    expect(error.code).toBe('SAGE_NATIVE_MISSING');
    expect(error.message).toMatch(/^the native core for linux-x64-gnu is not installed \(linux x64, glibc 2\.36, Node 24\.21\.0\)\n {2}tried: .*\n {2}tried: sage-kernel-linux-x64-gnu: the package is not installed\n {2}fix: /);
    expect(error.help).toMatch(/--omit=optional.*lock file/);
  });

  test('when node_modules was copied from another platform', () => {
    const error = problem({ packages: { 'sage-kernel-darwin-arm64': '/x.node' } });
    expect(error.message).toMatch(/^the native core for linux-x64-gnu is not installed, but sage-kernel-darwin-arm64 is/);
    expect(error.help).toMatch(/comes from another platform/);
  });

  test('on musl it says so', () => {
    expect(problem({ host: { platform: 'linux', arch: 'riscv64', libc: 'musl' } }).message).toMatch(/linux-riscv64-musl \(linux riscv64, musl, Node/);
  });

  test('in a checkout where it was not built', () => {
    const error = problem({ readManifest: () => checkout });
    expect(error.message).toMatch(/^the native core for linux-x64-gnu is not built/);
    expect(error.help).toBe('Build it: npm run setup in the folder of sage-kernel.');
  });

  test.each([
    ['of a program', () => ({ name: 'my-app', version: '0.0.1' })],
    ['without a manifest above it', () => { throw new Error('ENOENT'); }],
  ])('in a bundle %s', (_where, readManifest) => {
    const error = problem({ readManifest });
    expect(error.code).toBe('SAGE_NATIVE_MISSING');
    expect(error.message).toMatch(/was bundled/);
    expect(error.help).toMatch(/esbuild --external:sage-kernel/);
  });
});

describe('a core that does not load: the error knows the reason', () => {
  const file = '/app/node_modules/sage-kernel-linux-x64-gnu/sage-kernel.linux-x64-gnu.node';
  const installed = (message: string): SageError => problem({ packages: { 'sage-kernel-linux-x64-gnu': file }, files: { [file]: failing(message) } });

  test.each([
    ["/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.28' not found (required by sage-kernel.linux-x64-gnu.node)", /too old, the core needs glibc 2\.28/],
    ['Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by sage-kernel.linux-x64-gnu.node)', /another C library/],
    ['Error relocating sage-kernel.linux-x64-gnu.node: __memcpy_chk: symbol not found', /another C library/],
    ['libc.musl-x86_64.so.1: cannot open shared object file: No such file or directory', /another C library/],
    ['sage-kernel.linux-x64-gnu.node: invalid ELF header', /damaged or of another platform/],
    ['sage-kernel.linux-x64-gnu.node: file too short', /damaged or of another platform/],
    ['sage-kernel.win32-x64-msvc.node is not a valid Win32 application.', /damaged or of another platform/],
    ["dlopen(x.node, 0x0001): tried: 'x.node' (mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64'))", /damaged or of another platform/],
    ['sage-kernel.linux-x64-gnu.node: failed to map segment from shared object', /may not run code from this folder/],
    ['something that nobody knows', /^Delete node_modules and run npm install again\.$/],
  ])('%s', (reason, help) => {
    const error = installed(reason);
    expect(error.code).toBe('SAGE_NATIVE_LOAD');
    expect(error.message).toBe(`the native core for linux-x64-gnu does not load (linux x64, glibc 2.36, Node 24.21.0)\n  tried: ${file}: ${reason}\n  fix: ${error.help}`);
    expect(error.help).toMatch(help);
    expect((error.cause as Error).message).toBe(reason);
  });

  test('one that was built here is to be built again', () => {
    expect(problem({ files: { [LOCAL]: failing('something that nobody knows') } }).help).toBe('Build it again: npm run setup.');
  });
});

describe('a core of another version is refused', () => {
  test('installed', () => {
    const error = problem({ packages: { 'sage-kernel-linux-x64-gnu': '/x.node' }, files: { '/x.node': () => core('1.2.2') } });
    expect(error).toMatchObject({ code: 'SAGE_NATIVE_VERSION', message: 'the native core /x.node is of version 1.2.2, and sage-kernel is 1.2.3' });
    expect(error.help).toBe('Install both in one version: npm install sage-kernel@1.2.3.');
  });

  test('built here', () => {
    expect(problem({ files: { [LOCAL]: () => core('1.0.0') } })).toMatchObject({ code: 'SAGE_NATIVE_VERSION', help: 'Build it again: npm run setup.' });
  });
});
