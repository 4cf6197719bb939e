import { readFileSync } from 'node:fs';
import { parseTriple } from '@napi-rs/cli';
import { describe, expect, test } from 'vitest';

import { hostPlatform, type PlatformProbe, platformName } from '../../../../ts/runtime/native/host-platform.ts';

const { napi } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as { napi: { targets: readonly string[] } };
const targets = [...napi.targets];

const GLIBC_MAPS = '7f00-7f01 r-xp 00000000 08:01 12 /usr/lib/x86_64-linux-gnu/libc.so.6\n7f02-7f03 r-xp 00000000 08:01 13 /usr/bin/node\n';
const OLD_GLIBC_MAPS = '7f00-7f01 r-xp 00000000 08:01 12 /lib64/libc-2.28.so\n';
const MUSL_MAPS = '7f00-7f01 r-xp 00000000 08:01 12 /lib/ld-musl-x86_64.so.1\n';
const GLIBC_IN_A_FOLDER_NAMED_MUSL = `7f02-7f03 r-xp 00000000 08:01 13 /opt/ld-musl-x86_64.so.1/node\n${GLIBC_MAPS}`;

function probe(platform: string, arch: string, maps: string | undefined, glibc?: string): PlatformProbe {
  return {
    platform,
    arch,
    mappedFiles: () => {
      if (maps === undefined) throw new Error('ENOENT: /proc/self/maps');
      return maps;
    },
    glibcVersion: () => glibc,
  };
}

describe('the name of a platform', () => {
  test.each([
    ['linux-x64-gnu', probe('linux', 'x64', GLIBC_MAPS)],
    ['linux-x64-gnu', probe('linux', 'x64', OLD_GLIBC_MAPS)],
    ['linux-arm64-gnu', probe('linux', 'arm64', GLIBC_IN_A_FOLDER_NAMED_MUSL)],
    ['linux-x64-musl', probe('linux', 'x64', MUSL_MAPS)],
    ['linux-arm64-musl', probe('linux', 'arm64', undefined)],
    ['linux-arm64-gnu', probe('linux', 'arm64', undefined, '2.36')],
    ['darwin-x64', probe('darwin', 'x64', undefined)],
    ['darwin-arm64', probe('darwin', 'arm64', undefined)],
    ['win32-x64-msvc', probe('win32', 'x64', undefined)],
    ['win32-arm64-msvc', probe('win32', 'arm64', undefined)],
    ['freebsd-x64', probe('freebsd', 'x64', undefined)],
  ])('%s', (name, given) => {
    expect(platformName(hostPlatform(given))).toBe(name);
  });

  test('of this process agrees with its diagnostic report', () => {
    const header = (process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string; platform: string; arch: string } }).header;
    const abi = header.platform === 'win32' ? '-msvc' : header.platform !== 'linux' ? '' : header.glibcVersionRuntime === undefined ? '-musl' : '-gnu';
    expect(platformName()).toBe(`${header.platform}-${header.arch}${abi}`);
  });

  // The names of what is built are those of napi; a package under another name would never be found.
  test.each(targets)('is what napi names the core of %s', (triple) => {
    const { platform, arch, abi, platformArchABI } = parseTriple(triple);
    const libc = platform !== 'linux' ? undefined : abi === 'musl' ? 'musl' : 'glibc';
    expect(platformName({ platform, arch, libc })).toBe(platformArchABI);
  });
});
