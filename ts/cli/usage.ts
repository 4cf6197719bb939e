/** The commands that exist. */
export const COMMANDS = ['run', 'explain'] as const;

/** A command that exists. */
export type CommandName = (typeof COMMANDS)[number];

const PROGRAM_OPTIONS = `  --pipeline <name>    which export, when the file defines several pipelines
  --args <json>        the argument of the pipeline's builder; {} when left away
  --parallelism <n>    instances of each operator, or auto
                       (these three are for definePipeline; a program that submits
                       its own environments says such things itself)`;

const OVERVIEW = `sage-kernel: typed dataflow pipelines on a Rust core

Usage
  sage-kernel run <file> [options] [-- arguments of the program]
  sage-kernel explain <file> [options] [-- arguments of the program]

Commands
  run       runs a program that submits a pipeline, or a pipeline that a module exports
  explain   prints the plans of a pipeline and runs nothing

Options
  -h, --help           this text, or that of a command behind it
  -v, --version        the version of sage-kernel

sagek is the same command with a shorter name.`;

const TEXTS: Readonly<Record<CommandName, string>> = {
  run: `Runs a program that submits a pipeline, or a pipeline that a module exports
with definePipeline.

Usage
  sage-kernel run <file> [options] [-- arguments of the program]

Options
${PROGRAM_OPTIONS}
  --json               prints the result of each job as one line of JSON; what the
                       program itself prints then goes to standard error
  -q, --quiet          neither progress nor a summary on standard error
  -h, --help           this text

Exit code
  0   the program ended well
  1   the program, a job or the pipeline's plan failed
  2   the command line is wrong, or the file holds no pipeline
A signal (Ctrl-C, SIGTERM) stops the jobs, lets records in flight arrive, and ends
the process as the signal does. A second one cancels.

Examples
  sage-kernel run pipeline.ts -- input.jsonl
  sage-kernel run bids.ts --pipeline bids --args '{"input":"bids.jsonl"}' --parallelism 4`,

  explain: `Prints the plans of a pipeline: stages, what was fused, what runs native,
exchanges, parallelism and why. The program runs up to its first submit; no job does.

Usage
  sage-kernel explain <file> [options] [-- arguments of the program]

Options
${PROGRAM_OPTIONS}
  --level <level>      logical, optimised, physical or all (when left away)
  --json               prints { name, level, plan } as one line of JSON
  -h, --help           this text

Exit code
  0   the plan was printed
  1   the program or the pipeline's plan failed
  2   the command line is wrong, or the file holds no pipeline

Examples
  sage-kernel explain pipeline.ts
  sage-kernel explain bids.ts --pipeline bids --level physical`,
};

/** The help text of a command, or that of all. */
export function usage(of: CommandName | undefined): string {
  return of === undefined ? OVERVIEW : TEXTS[of];
}
