import { planError } from '../common/errors.ts';
import type { NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { type AllowedSetting, FLAG, oneOf } from './connector-arguments.ts';
import { checkOutput, type OutputOptions, type SinkCall } from './output-options.ts';

/** Options of sinks that write lines. */
export interface LineOutputOptions extends OutputOptions {
  /**
   * Write behind what is in the file, which stays as it is if the job fails. Compressed files get another gzip member or zstd frame,
   * which their tools take for one text. A file that somebody else changes meanwhile is an error (`SAGE_IO_CHANGED`).
   */
  readonly append?: boolean;
  /** When left away: `gzip` for a path that ends in `.gz`, `zstd` for `.zst`, else `none`. */
  readonly compression?: 'none' | 'gzip' | 'zstd';
  /** 0 to 9 for gzip, 6 when left away; 1 to 22 for zstd, 3 when left away. More is smaller and slower. */
  readonly compressionLevel?: number;
}

/** What options of lines may be, without those of all outputs. */
export const LINE_OUTPUT_SETTINGS: Readonly<Record<Exclude<keyof LineOutputOptions, keyof OutputOptions>, AllowedSetting>> = {
  append: FLAG,
  compression: oneOf('none', 'gzip', 'zstd'),
  compressionLevel: { accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 22, expected: 'a whole number, 0 to 9 for gzip and 1 to 22 for zstd' },
};

/** The spec of a sink of lines, its compression decided. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkLineOutput<O extends LineOutputOptions>(
  sink: SinkCall,
  path: unknown,
  options: O,
  allowed: Readonly<Record<keyof O & string, AllowedSetting>>,
): NativeSinkSpec {
  const spec = checkOutput(sink, path, options, allowed);
  const compression = (spec['compression'] ?? compressionOf(spec.path)) as 'none' | 'gzip' | 'zstd';
  checkLevel(sink, compression, spec['compressionLevel'] as number | undefined);
  return compression === 'none' && spec['compression'] === undefined ? spec : { ...spec, compression };
}

function compressionOf(path: string): 'none' | 'gzip' | 'zstd' {
  if (path.endsWith('.gz')) return 'gzip';
  return path.endsWith('.zst') ? 'zstd' : 'none';
}

function checkLevel({ call, declaredAt }: SinkCall, compression: 'none' | 'gzip' | 'zstd', level: number | undefined): void {
  if (level === undefined) return;
  if (compression === 'none') {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} was given compressionLevel, but what it writes is not compressed`,
      expected: "compression: 'gzip' or 'zstd', or a path that ends in .gz or .zst",
      fix: 'Give compression, or leave compressionLevel away.',
      declaredAt,
    });
  }
  const [least, most] = compression === 'gzip' ? [0, 9] : [1, 22];
  if (level >= least && level <= most) return;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `compressionLevel of ${call} is ${level}`,
    expected: `a whole number from ${least} to ${most} for ${compression}`,
    fix: 'Correct compressionLevel or leave it away.',
    declaredAt,
  });
}
