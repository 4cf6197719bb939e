import { readFileSync } from 'node:fs';

/** What decides which prebuilt core this process can load. */
export interface HostPlatform {
  /** As `process.platform`. */
  readonly platform: string;
  /** As `process.arch`. */
  readonly arch: string;
  /** The C library that the running Node is linked to; elsewhere than on Linux there is only one. */
  readonly libc: 'glibc' | 'musl' | undefined;
}

/** Where {@link hostPlatform} looks; tests give other answers. */
export interface PlatformProbe {
  readonly platform: string;
  readonly arch: string;
  /** The files that are mapped into this process, as Linux lists them; throws where it does not. */
  mappedFiles(): string;
  /** The version of glibc that Node runs on, as its diagnostic report says; undefined without glibc. */
  glibcVersion(): string | undefined;
}

/** The probe of this process. */
export const processProbe: PlatformProbe = {
  platform: process.platform,
  arch: process.arch,
  mappedFiles: () => readFileSync('/proc/self/maps', 'utf8'),
  glibcVersion,
};

/** The platform of this process. */
export function hostPlatform(probe: PlatformProbe = processProbe): HostPlatform {
  const { platform, arch } = probe;
  return { platform, arch, libc: platform === 'linux' ? libcOf(probe) : undefined };
}

/** `linux-x64-gnu`, `darwin-arm64` and so on: what a prebuilt core and its package are named after. */
export function platformName({ platform, arch, libc }: HostPlatform = hostPlatform()): string {
  const abi = platform === 'win32' ? '-msvc' : libc === undefined ? '' : libc === 'glibc' ? '-gnu' : '-musl';
  return `${platform}-${arch}${abi}`;
}

/**
 * What is mapped is asked first: it costs a tenth of the report, which collects all sockets and timers of the process. A path that
 * merely has the word musl in it must not count, so it is glibc that is looked for.
 */
function libcOf(probe: PlatformProbe): 'glibc' | 'musl' {
  let mapped: string;
  try {
    mapped = probe.mappedFiles();
  } catch {
    return probe.glibcVersion() === undefined ? 'musl' : 'glibc'; // no /proc
  }
  return /\/libc(?:\.so\.6|-2\.\d+\.so)$/m.test(mapped) ? 'glibc' : 'musl';
}

/** Costs some milliseconds: for error messages. */
function glibcVersion(): string | undefined {
  const report: typeof process.report & { excludeNetwork?: boolean } = process.report;
  const before = report.excludeNetwork ?? false;
  report.excludeNetwork = true; // it would look up the name of each peer
  try {
    return (report.getReport() as { header?: { glibcVersionRuntime?: string } }).header?.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = before;
  }
}
