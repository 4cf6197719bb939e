import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { isStandardInput, type NativeSourceSpec } from '../transformations/source-descriptor.ts';
import { type AllowedSetting, checkPath, oneOf, WHOLE_NUMBER } from './connector-arguments.ts';

/**
 * What a source reads: a file, a directory with all files in it, a pattern such as `logs/2024-*.{jsonl,gz}`, several of these,
 * or the standard input, `'-'`.
 */
export type FilePath = string | URL | readonly (string | URL)[];

/** Options of sources that read files. */
export interface FileSetOptions {
  /**
   * Look for new files in the directories and patterns for ever: each is read once, when it has not changed for an
   * interval, which is a second for `true`. Best is to write a file under a name that begins with `.`, and to rename it when
   * it is complete; one that changes after it was read is an error.
   */
  readonly watch?: boolean | { readonly everyMs: number };
}

/** Options of sources that read files from the beginning to the end. */
export interface FileStreamOptions extends FileSetOptions {
  /** Of the files; by their first bytes when left away (`auto`). */
  readonly compression?: 'auto' | 'none' | 'gzip' | 'zstd';
}

const DEFAULT_WATCH_MS = 1000;
const MAX_WATCH_MS = 86_400_000;

const WATCH: AllowedSetting = {
  accepts(value) {
    if (typeof value === 'boolean') return true;
    if (typeof value !== 'object' || value === null || Object.keys(value).some((name) => name !== 'everyMs')) return false;
    const { everyMs } = value as { everyMs?: unknown };
    return WHOLE_NUMBER.accepts(everyMs) && (everyMs as number) <= MAX_WATCH_MS;
  },
  expected: 'true, false, or { everyMs } with a whole number of milliseconds from 1 to a day',
};

/** The settings of every file source. */
export const FILE_SET: Readonly<Record<keyof FileSetOptions, AllowedSetting>> = { watch: WATCH };

/** The settings of file sources that read from the beginning to the end. */
export const STREAM: Readonly<Record<keyof FileStreamOptions, AllowedSetting>> = { ...FILE_SET, compression: oneOf('auto', 'none', 'gzip', 'zstd') };

/** The part of a spec that says which files are read; `isStream` where they are read from the beginning to the end. @throws SageError SAGE_PLAN_ARGUMENT */
export function fileSetSpec(
  value: unknown,
  settings: { readonly watch?: FileSetOptions['watch']; readonly isStream: boolean },
  call: string,
  declaredAt: SourceLocation,
): Pick<NativeSourceSpec, 'path' | 'watch'> {
  const path = checkFilePath(value, call, declaredAt);
  const { watch, isStream } = settings;
  if (isStandardInput(path) && !isStream) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} was given the standard input, '-', but such a file is read from its end`,
      expected: 'the path of a file',
      fix: "Write what comes in to a file first; a file whose name is - is './-'.",
      declaredAt,
    });
  }
  if (watch === undefined || watch === false) return { path };
  if (isStandardInput(path)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} was told to watch the standard input`,
      expected: 'a directory or a pattern where watch is set',
      fix: 'Leave watch away: the standard input is read as it comes anyway.',
      declaredAt,
    });
  }
  return { path, watch: watch === true ? { everyMs: DEFAULT_WATCH_MS } : watch };
}

function checkFilePath(value: unknown, call: string, declaredAt: SourceLocation): string | readonly string[] {
  if (!Array.isArray(value)) return checkPath(value, call, declaredAt);
  const paths = value.map((one) => checkPath(one, call, declaredAt));
  if (paths.length > 0 && !paths.includes('-')) return paths;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: paths.length === 0 ? `${call} was given no path` : `${call} was given the standard input, '-', among files`,
    expected: "paths of files, directories or patterns, or '-' alone",
    fix: paths.length === 0 ? `Write ${call}(['a.jsonl', 'more/*.jsonl']).` : 'Read it by a source of its own and union the streams.',
    declaredAt,
  });
}
