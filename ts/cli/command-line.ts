import { parseArgs } from 'node:util';

import type { AnyCommand, CommandInput, Option } from './command.ts';
import { COMMANDS } from './commands.ts';
import { UsageError } from './usage-error.ts';

/** What was typed. */
export type CommandLine =
  | { readonly action: 'help'; readonly of: AnyCommand | undefined; readonly json: boolean }
  | { readonly action: 'version'; readonly json: boolean }
  | { readonly action: 'run'; readonly command: AnyCommand; readonly input: CommandInput<object> };

/** Reads a command line, without Node and the program. @throws UsageError that says what to type instead. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const [name, ...rest] = argv;
  const json = rest.includes('--json');
  if (name === '--version' || name === '-v') return { action: 'version', json };
  if (name === '--help' || name === '-h') return { action: 'help', of: undefined, json };
  if (name === 'help') {
    const of = rest.find((word) => !word.startsWith('-'));
    return { action: 'help', of: of === undefined ? undefined : findCommand(of), json };
  }
  if (name === undefined) throw new UsageError(`No command was given. ${listCommands()}`);
  return parseInput(findCommand(name), rest);
}

function parseInput(command: AnyCommand, argv: readonly string[]): CommandLine {
  const end = argv.indexOf('--');
  const programArgs = end < 0 ? [] : argv.slice(end + 1);
  const { values, positionals } = parseWords(command, end < 0 ? argv : argv.slice(0, end));
  if (values['help'] === true) return { action: 'help', of: command, json: values['json'] === true };
  const input = {
    values: Object.fromEntries(Object.entries(command.options).map(([name, option]) => [name, readOption(name, option, values[name])])),
    operands: positionals,
    programArgs,
  };
  checkOperands(command, input);
  command.check?.(input);
  return { action: 'run', command, input };
}

/** `parseArgs` with our own words for what it refuses. */
function parseWords(command: AnyCommand, args: readonly string[]): { values: Readonly<Record<string, string | boolean | undefined>>; positionals: readonly string[] } {
  const options = Object.entries(command.options).map(
    ([name, { kind, short }]) => [name, { type: kind === 'flag' ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) }] as const,
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(options), help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    return { values: values as Readonly<Record<string, string | boolean | undefined>>, positionals };
  } catch (error) {
    // The first sentence says what is wrong, the others are about parseArgs.
    const what = (error as Error).message.split(/\. |\n/)[0]!;
    throw new UsageError(`${what}. sage-kernel ${command.name} --help lists the options.`, { cause: error });
  }
}

function readOption(name: string, option: Option, value: string | boolean | undefined): unknown {
  if (option.kind === 'flag') return value === true;
  if (typeof value !== 'string') return option.otherwise;
  if (option.choices?.includes(value) === false) throw new UsageError(`--${name} is '${value}'; it can be ${option.choices.join(', ')}.`);
  return option.parse(value);
}

function checkOperands(command: AnyCommand, { operands, programArgs }: CommandInput<object>): void {
  const missing = command.operands[operands.length]?.missing;
  if (missing !== undefined) throw new UsageError(missing);
  for (const [n, { name, completes }] of command.operands.entries()) {
    const given = operands[n];
    if (given === undefined || typeof completes === 'string' || completes.includes(given)) continue;
    throw new UsageError(`The ${name} is '${given}'; it can be ${completes.join(', ')}.`);
  }
  const extra = operands.slice(command.operands.length);
  const typed = ['sage-kernel', command.name, ...operands.slice(0, command.operands.length)].join(' ');
  if (extra.length > 0) {
    const fix = command.takesProgramArgs ? `Arguments of the program come behind --: ${typed} -- ${extra.join(' ')}` : `Write ${typed}.`;
    throw new UsageError(`'${extra[0]}' is one argument too many. ${fix}`);
  }
  if (programArgs.length > 0 && !command.takesProgramArgs) {
    throw new UsageError(`${command.name} runs no program, so that nothing can stand behind --. Write ${typed}.`);
  }
}

function findCommand(name: string): AnyCommand {
  const command = COMMANDS.find((known) => known.name === name);
  if (command !== undefined) return command;
  throw new UsageError(`There is no command '${name}'. ${listCommands()}`);
}

function listCommands(): string {
  const names = COMMANDS.map(({ name }) => name);
  return `Commands are ${names.slice(0, -1).join(', ')} and ${names.at(-1)}; sage-kernel --help tells more.`;
}
