import { SageError } from '../../common/errors.ts';
import type { PackageManifest } from '../../common/package-manifest.ts';
import type { CoreSurroundings } from './core-surroundings.ts';

/** What was looked for. */
interface Attempt {
  readonly platform: string;
  /** This process in words. */
  readonly host: string;
  readonly packageName: string;
  readonly manifest: PackageManifest;
}

interface MissingCore extends Attempt {
  readonly local: string;
  isInstalled(packageName: string): boolean;
}

interface BrokenCore extends Attempt {
  readonly file: string;
  readonly isLocal: boolean;
  readonly error: unknown;
}

/** Platform, architecture, C library and Node: `linux x64, glibc 2.36, Node 24.21.0`. */
export function describeHost({ host, nodeVersion, glibcVersion }: CoreSurroundings): string {
  const libc = host.libc === 'glibc' ? `, glibc ${glibcVersion() ?? 'of unknown version'}` : host.libc === 'musl' ? ', musl' : '';
  return `${host.platform} ${host.arch}${libc}, Node ${nodeVersion}`;
}

/** The error when there is no core, with what was tried and the fix for the most likely reason. */
export function missingProblem(core: MissingCore): SageError {
  const { platform, host, local, packageName } = core;
  const { what, help } = whyMissing(core);
  const message = `${what} (${host})\n  tried: ${local}: there is no such file\n  tried: ${packageName}: the package is not installed\n  fix: ${help}`;
  return new SageError('SAGE_NATIVE_MISSING', message, { help, context: { platform } });
}

function whyMissing({ platform, packageName, manifest, isInstalled }: MissingCore): { what: string; help: string } {
  const prebuilt = Object.keys(manifest.optionalDependencies ?? {});
  if (prebuilt.length === 0) {
    return { what: `the native core for ${platform} is not built`, help: 'Build it: npm run setup in the folder of sage-kernel.' };
  }
  const names = prebuilt.map((name) => name.slice(`${manifest.name}-`.length));
  if (!prebuilt.includes(packageName)) {
    return { what: `there is no native core for ${platform}`, help: `Run it on one of ${names.join(', ')}, or build sage-kernel from its sources.` };
  }
  const what = `the native core for ${platform} is not installed`;
  const foreign = prebuilt.find(isInstalled);
  if (foreign !== undefined) {
    return {
      what: `${what}, but ${foreign} is`,
      help: 'node_modules comes from another platform: delete it and run npm install on this one, with the Node that runs the program.',
    };
  }
  return {
    what,
    help: 'Delete node_modules and package-lock.json, and run npm install without --omit=optional: npm forgets optional packages that a lock file of another platform does not have.',
  };
}

/** Reasons that loaders give, in the words of Linux (both C libraries), macOS and Windows. */
const KNOWN_REASONS: readonly { readonly pattern: RegExp; readonly help: (match: RegExpMatchArray) => string }[] = [
  {
    pattern: /version [`']?GLIBC_([\d.]+)'? not found/,
    help: ([, wanted]) => `This Linux is too old, the core needs glibc ${wanted}: use a newer one, for example in a container.`,
  },
  {
    pattern: /ld-(?:linux|musl)[\w.-]*\.so|__\w+_chk: symbol not found|symbol not found|libc\.musl/,
    help: () => 'The core is for another C library than the one of this Node: delete node_modules and run npm install with the Node that runs the program.',
  },
  {
    pattern: /invalid ELF header|wrong ELF class|file too short|cannot read file data|not a valid Win32|not a mach-o|slice is not valid|wrong architecture|incompatible architecture|Exec format error/i,
    help: () => 'The file is damaged or of another platform: delete node_modules and run npm install again.',
  },
  {
    pattern: /failed to map segment|Operation not permitted|Permission denied|EACCES/i,
    help: () => 'The system may not run code from this folder: install it where programs may run (no noexec mount), readable for this user.',
  },
];

/** The error when a core is there and does not load. */
export function loadProblem({ platform, host, file, isLocal, error }: BrokenCore): SageError {
  const reason = error instanceof Error ? error.message : String(error);
  const known = KNOWN_REASONS.flatMap(({ pattern, help }) => {
    const match = reason.match(pattern);
    return match === null ? [] : [help(match)];
  })[0];
  const help = known ?? (isLocal ? 'Build it again: npm run setup.' : 'Delete node_modules and run npm install again.');
  const message = `the native core for ${platform} does not load (${host})\n  tried: ${file}: ${reason}\n  fix: ${help}`;
  return new SageError('SAGE_NATIVE_LOAD', message, { help, context: { platform, file }, cause: error });
}
