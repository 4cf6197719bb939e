import { parseArgs } from 'node:util';

import type { Parallelism } from '../transformations/base-transformation.ts';
import type { ExplainLevel } from '../transformations/stream-environment.ts';
import { COMMANDS, type CommandName } from './usage.ts';
import { UsageError } from './usage-error.ts';

/** What `run` and `explain` have in common. */
interface ProgramOptions {
  readonly file: string;
  /** What stands behind `--`: the program's own arguments. */
  readonly programArgs: readonly string[];
  /** Export that defines the pipeline. */
  readonly pipeline: string | undefined;
  /** Argument of the pipeline's builder; `undefined` when it was not given. */
  readonly args: { readonly value: unknown } | undefined;
  readonly parallelism: Parallelism | undefined;
  readonly json: boolean;
}

/** `sage-kernel run` */
export interface RunCommand extends ProgramOptions {
  readonly name: 'run';
  /** Neither progress nor a summary. */
  readonly quiet: boolean;
}

/** `sage-kernel explain` */
export interface ExplainCommand extends ProgramOptions {
  readonly name: 'explain';
  readonly level: ExplainLevel;
}

/** What was typed. */
export type Command =
  | RunCommand
  | ExplainCommand
  | { readonly name: 'version' }
  | { readonly name: 'help'; readonly of: CommandName | undefined };

const LEVELS: readonly ExplainLevel[] = ['logical', 'optimised', 'physical', 'all'];

const SHARED = {
  pipeline: { type: 'string' },
  args: { type: 'string' },
  parallelism: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads a command line, without Node and the program. @throws UsageError that says what to type instead. */
export function parseCommandLine(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (name === '--version' || name === '-v') return { name: 'version' };
  if (name === '--help' || name === '-h') return { name: 'help', of: undefined };
  if (name === 'help') return { name: 'help', of: rest[0] === undefined ? undefined : commandName(rest[0]) };
  if (name === undefined) throw new UsageError('No command was given. Commands are run and explain; sage-kernel --help tells more.');
  return commandName(name) === 'run' ? parseRun(rest) : parseExplain(rest);
}

function parseRun(argv: readonly string[]): Command {
  const { values, positionals, programArgs } = parse('run', argv, { ...SHARED, quiet: { type: 'boolean', short: 'q' } });
  if (values.help === true) return { name: 'help', of: 'run' };
  return { name: 'run', ...programOptions('run', values, positionals, programArgs), quiet: values.quiet === true };
}

function parseExplain(argv: readonly string[]): Command {
  const { values, positionals, programArgs } = parse('explain', argv, { ...SHARED, level: { type: 'string' } });
  if (values.help === true) return { name: 'help', of: 'explain' };
  const level = LEVELS.find((known) => known === (values.level ?? 'all'));
  if (level === undefined) throw new UsageError(`--level is '${values.level}'; it can be ${LEVELS.join(', ')}.`);
  return { name: 'explain', ...programOptions('explain', values, positionals, programArgs), level };
}

/** Text of a command line that is no option: `parseArgs` with our own words for what it refuses. */
function parse<O extends NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>>(
  name: CommandName,
  argv: readonly string[],
  options: O,
): {
  values: ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>['values'];
  positionals: readonly string[];
  programArgs: readonly string[];
} {
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  try {
    const { values, positionals } = parseArgs({ args: [...own], options, allowPositionals: true });
    return { values, positionals, programArgs: end < 0 ? [] : argv.slice(end + 1) };
  } catch (error) {
    // The first sentence says what is wrong, the others are about parseArgs.
    const what = (error as Error).message.split(/\. |\n/)[0]!;
    throw new UsageError(`${what}. sage-kernel ${name} --help lists the options.`, { cause: error });
  }
}

function commandName(text: string): CommandName {
  const name = COMMANDS.find((known) => known === text);
  if (name !== undefined) return name;
  throw new UsageError(`There is no command '${text}'. Commands are run and explain; sage-kernel --help tells more.`);
}

interface SharedValues {
  readonly pipeline?: string;
  readonly args?: string;
  readonly parallelism?: string;
  readonly json?: boolean;
}

function programOptions(
  name: CommandName,
  values: SharedValues,
  positionals: readonly string[],
  programArgs: readonly string[],
): ProgramOptions {
  const [file, ...others] = positionals;
  if (file === undefined) throw new UsageError(`Which file? Write sage-kernel ${name} pipeline.ts.`);
  if (others.length > 0) {
    throw new UsageError(`'${others[0]}' is one argument too many. Arguments of the program come behind --: sage-kernel ${name} ${file} -- ${others.join(' ')}`);
  }
  return {
    file,
    programArgs,
    pipeline: values.pipeline,
    args: values.args === undefined ? undefined : { value: parseJson(values.args) },
    parallelism: values.parallelism === undefined ? undefined : parseParallelism(values.parallelism),
    json: values.json === true,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--args is not JSON: ${(error as Error).message}. Write --args '{"input":"bids.jsonl"}'.`, { cause: error });
  }
}

function parseParallelism(text: string): Parallelism {
  if (text === 'auto') return 'auto';
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1) return number;
  throw new UsageError(`--parallelism is '${text}'; it can be a whole number from 1, or auto.`);
}
