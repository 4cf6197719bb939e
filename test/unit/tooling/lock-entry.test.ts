import { describe, expect, test } from 'vitest';
import { mustBeInstalled } from '../../../scripts/setup/lock-entry.mjs';

const linux = { os: 'linux', cpu: 'x64', libc: () => 'glibc' as const };

describe('what must be installed of a lock file, on 64-bit Linux with glibc', () => {
  test.each([
    ['an ordinary package', {}, true],
    ['an optional package without a platform', { optional: true }, false],
    ['a peer that was not asked for', { peer: true }, false],
    ['the binary of this platform', { optional: true, os: ['linux'], cpu: ['x64'], libc: ['glibc'] }, true],
    ['a binary for any C library', { optional: true, os: ['linux'], cpu: ['x64'] }, true],
    ['the binary for musl', { optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] }, false],
    ['the binary for another processor', { optional: true, os: ['linux'], cpu: ['arm64'] }, false],
    ['the binary for another system', { optional: true, os: ['darwin'], cpu: ['x64'] }, false],
    ['a binary for all but Windows', { optional: true, os: ['!win32'], cpu: ['x64'] }, true],
    ['a binary for all but Linux', { optional: true, os: ['!linux'], cpu: ['x64'] }, false],
  ])('%s: %j -> %s', (_what, entry, needed) => {
    expect(mustBeInstalled(entry, linux)).toBe(needed);
  });

  test('the C library is asked for only when it matters', () => {
    const machine = { ...linux, libc: () => expect.unreachable() };
    expect(mustBeInstalled({ optional: true, os: ['darwin'], cpu: ['x64'], libc: ['glibc'] }, machine)).toBe(false);
  });
});
