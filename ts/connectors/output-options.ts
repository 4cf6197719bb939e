import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import type { NativeSinkSpec } from '../transformations/sink-descriptor.ts';
import { isStandardOutput } from '../transformations/sink-descriptor.ts';
import { type AllowedSetting, checkPath, checkSettings, FLAG, WHOLE_NUMBER } from './connector-arguments.ts';

/** Options of all sinks that write files. */
export interface OutputOptions {
  /** Create the folder, with its parents, if it is not there; otherwise that is an error. */
  readonly mkdir?: boolean;
  /** Of a folder: a file is ended when it has about so many bytes, after compression, and the next one begins. */
  readonly maxFileBytes?: number;
  /** Of a folder: a file has at most so many records. */
  readonly maxFileRows?: number;
  /**
   * Of a folder: what happens to `part-` files of an earlier run that would stand beside those of this one. `'error'` (when left
   * away) refuses to mix them, `'add'` keeps them and numbers the new ones on, `'replace'` removes them, also in partitions, when the
   * new ones appear.
   */
  readonly existing?: 'error' | 'add' | 'replace';
}

/** Options of sinks that divide records over folders by the values of their fields. */
export interface PartitionOptions {
  /** A folder for each value of these fields, as Hive names them: `out/country=NL/day=2026-01-01/`. The path ends in `/`. */
  readonly partitionBy?: readonly string[];
  /** Leave the fields of `partitionBy` in the records as well; they are taken out when this is left away, for the path has them. */
  readonly keepPartitionFields?: boolean;
  /** Files that an instance has open at once, 64 when left away. The one not used for longest is ended when there would be more. */
  readonly maxOpenFiles?: number;
}

const PARTITION_FIELDS: AllowedSetting = {
  accepts(value) {
    const names: readonly unknown[] = Array.isArray(value) ? value : [];
    return names.length > 0 && names.every((name) => typeof name === 'string' && name !== '' && name.isWellFormed()) && new Set(names).size === names.length;
  },
  expected: "an array of different field names with at least one, such as ['country', 'day']",
};

/** What `OutputOptions` may be. */
export const OUTPUT_SETTINGS: Readonly<Record<keyof OutputOptions, AllowedSetting>> = {
  mkdir: FLAG,
  maxFileBytes: WHOLE_NUMBER,
  maxFileRows: WHOLE_NUMBER,
  existing: { accepts: (value) => ['error', 'add', 'replace'].includes(value as string), expected: "'error', 'add', 'replace'" },
};

/** What `PartitionOptions` may be. */
export const PARTITION_SETTINGS: Readonly<Record<keyof PartitionOptions, AllowedSetting>> = {
  partitionBy: PARTITION_FIELDS,
  keepPartitionFields: FLAG,
  maxOpenFiles: WHOLE_NUMBER,
};

/** Who is asked for a sink: its class, for messages, and the user's line. */
export interface SinkCall {
  readonly type: NativeSinkSpec['type'];
  /** `new JsonLinesSink` */
  readonly call: string;
  readonly declaredAt: SourceLocation;
}

/** The spec of a sink, with all that can be known to be wrong before it runs. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkOutput<O extends object>(
  { type, call, declaredAt }: SinkCall,
  pathArgument: unknown,
  options: O,
  allowed: Readonly<Record<keyof O & string, AllowedSetting>>,
): NativeSinkSpec {
  const path = checkPath(pathArgument, call, declaredAt);
  const settings = checkSettings(options, allowed, call, declaredAt) as Readonly<Record<string, unknown>>;
  const refuse = (message: string, expected: string, fix: string, found?: string): never => {
    throw planError('SAGE_PLAN_ARGUMENT', { message, expected, found, fix, declaredAt });
  };
  if (type === 'json' && settings['append'] !== undefined) {
    refuse(`${call} was given append, but a JSON array ends with its bracket, and nothing can be put behind it`, 'no append', `Write lines, which can be appended to: new JsonLinesSink('log.jsonl', { append: true }).`, 'append');
  }
  const isFolder = path.endsWith('/');
  for (const name of ['partitionBy', 'maxFileBytes', 'maxFileRows', 'existing']) {
    if (settings[name] === undefined) continue;
    if (!isFolder) refuse(`${call}('${path}') was given ${name}, which writes several files`, "a path that ends in '/'", `Write ${call}('${folderFor(path)}', ...).`);
    if (settings['append'] === true) {
      refuse(`${call} was given append and ${name}`, 'one of them: append goes on in the files that are there', "Leave append away and give existing: 'add', which writes new files beside the old ones.");
    }
  }
  for (const name of ['keepPartitionFields', 'maxOpenFiles']) {
    if (settings[name] !== undefined && settings['partitionBy'] === undefined) {
      refuse(`${call} was given ${name} without partitionBy`, 'partitionBy with the fields that name the folders', `Give partitionBy, or leave ${name} away.`);
    }
  }
  if (isStandardOutput(path)) {
    if (type === 'parquet' || type === 'arrow') {
      refuse(`${call}('-') would write ${type} to standard output, and to a terminal or pipe nothing can be written twice`, 'the path of a file', `Write ${call}('out.${type}'), or lines of JSON to standard output: new JsonLinesSink('-').`);
    }
    if (settings['append'] === true) refuse(`${call}('-') was given append`, 'no append: standard output goes on anyway', 'Leave append away.');
  }
  return { ...settings, type, path };
}

function folderFor(path: string): string {
  return isStandardOutput(path) || path.includes('{part}') ? 'out/' : `${path.replace(/\.[^/]*$/, '')}/`;
}
