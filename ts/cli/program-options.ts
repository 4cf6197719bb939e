import type { Parallelism } from '../transformations/base-transformation.ts';
import type { Flag, Operand, ValueOption } from './command.ts';
import { UsageError } from './usage-error.ts';

/** Options of all commands that load a program. */
export interface ProgramOptions {
  /** Export that defines the pipeline. */
  readonly pipeline: string | undefined;
  /** Argument of the pipeline's builder; `undefined` when it was not given. */
  readonly args: { readonly value: unknown } | undefined;
  readonly parallelism: Parallelism | undefined;
}

/** The program that a command loads. */
export interface Program extends ProgramOptions {
  readonly file: string;
  readonly programArgs: readonly string[];
}

/** A whole number from 1, or `auto`. @throws UsageError */
function parseParallelism(text: string): Parallelism {
  if (text === 'auto') return 'auto';
  if (/^\d+$/.test(text) && Number(text) >= 1) return Number(text);
  throw new UsageError(`--parallelism is '${text}'; it can be a whole number from 1, or auto.`);
}

function parseArgs(text: string): { readonly value: unknown } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    throw new UsageError(`--args is not JSON: ${(error as Error).message}. Write --args '{"input":"orders.jsonl"}'.`, { cause: error });
  }
}

/** The same three in each of these commands. */
export const PROGRAM_OPTIONS: {
  readonly pipeline: ValueOption<string | undefined>;
  readonly args: ValueOption<{ readonly value: unknown } | undefined>;
  readonly parallelism: ValueOption<Parallelism | undefined>;
} = {
  pipeline: {
    kind: 'value',
    placeholder: 'name',
    description: 'which export, when the file defines several pipelines',
    otherwise: undefined,
    parse: (text) => text,
  },
  args: {
    kind: 'value',
    placeholder: 'json',
    description: "the argument of the pipeline's builder; {} when left away",
    otherwise: undefined,
    parse: parseArgs,
  },
  parallelism: {
    kind: 'value',
    placeholder: 'n',
    description: 'instances of each operator, or auto',
    otherwise: undefined,
    parse: parseParallelism,
  },
};

/** What those three are for. */
export const ABOUT_PROGRAM_OPTIONS =
  '--pipeline, --args and --parallelism are for pipelines that a module exports with definePipeline; a program that submits its own environments says such things itself.';

/** What explains `--json` where it prints one line. */
export function jsonFlag(description: string): Flag {
  return { kind: 'flag', description };
}

/** The file of the program. */
export function programOperand(command: string): Operand {
  return {
    name: 'file',
    description: 'the program, or the module that exports the pipeline',
    completes: 'program',
    missing: `Which file? Write sage-kernel ${command} pipeline.ts.`,
  };
}
