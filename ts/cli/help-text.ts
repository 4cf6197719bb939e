import type { AnyCommand, Option } from './command.ts';
import { COMMANDS } from './commands.ts';

/** As wide as a terminal is at the least. */
const COLUMNS = 80;

/** The help text of a command, or that of all. */
export function helpText(of: AnyCommand | undefined): string {
  return (of === undefined ? overview() : commandHelp(of)).join('\n');
}

/** The same for programs: the table of commands, or one of it. */
export function helpJson(of: AnyCommand | undefined): string {
  return JSON.stringify(of === undefined ? { commands: COMMANDS.map(commandJson) } : commandJson(of));
}

/** How a command is typed. */
export function usageLine({ name, operands, takesProgramArgs }: AnyCommand): string {
  const words = operands.map(({ name, missing }) => (missing === undefined ? `[${name}]` : `<${name}>`));
  return ['sage-kernel', name, ...words, '[options]', ...(takesProgramArgs ? ['[-- arguments]'] : [])].join(' ');
}

/** The options of a command with the way each is typed, `--help` at the end. */
export function optionRows({ options }: AnyCommand): readonly (readonly [typed: string, description: string])[] {
  const rows = Object.entries(options).map(([name, option]) => [typedOption(name, option), option.description] as const);
  return [...rows, ['-h, --help', 'this text']];
}

function overview(): string[] {
  return [
    'sage-kernel: typed dataflow pipelines on a Rust core',
    '',
    'Usage',
    '  sage-kernel <command> [options]',
    '',
    'Commands',
    ...table(COMMANDS.map(({ name, summary }) => [name, summary])),
    '',
    'Options',
    ...table([
      ['-h, --help', 'this text, or that of a command behind it'],
      ['-v, --version', 'the version of sage-kernel'],
      ['--json', 'what is printed as one line of JSON; every command has it'],
    ]),
    '',
    'sagek is the same command with a shorter name.',
  ];
}

function commandHelp(command: AnyCommand): string[] {
  return [
    ...command.description.flatMap((paragraph) => [...wrap(paragraph, COLUMNS), '']),
    'Usage',
    `  ${usageLine(command)}`,
    ...(command.operands.length === 0 ? [] : ['', 'Arguments', ...table(command.operands.map(({ name, description }) => [name, description]))]),
    '',
    'Options',
    ...table(optionRows(command)),
    '',
    'Exit code',
    ...table(command.exitCodes.map(([code, meaning]) => [String(code), meaning])),
    '',
    'Examples',
    ...command.examples.map((example) => `  ${example}`),
  ];
}

function typedOption(name: string, option: Option): string {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  return `${short}--${name}${option.kind === 'value' ? ` <${option.placeholder}>` : ''}`;
}

/** Two columns; the right one is wrapped. */
function table(rows: readonly (readonly [string, string])[]): string[] {
  const left = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows.flatMap(([name, text]) =>
    wrap(text, COLUMNS - left).map((line, n) => `${(n === 0 ? `  ${name}` : '').padEnd(left)}${line}`),
  );
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function commandJson(command: AnyCommand): object {
  const { name, summary, description, operands, takesProgramArgs, options, exitCodes, examples } = command;
  return {
    name,
    summary,
    description,
    usage: usageLine(command),
    operands: operands.map(({ name, description, missing }) => ({ name, description, required: missing !== undefined })),
    takesProgramArgs,
    options: Object.entries(options).map(([name, option]) => ({
      name,
      short: option.short,
      value: option.kind === 'value' ? option.placeholder : undefined,
      choices: option.kind === 'value' ? option.choices : undefined,
      description: option.description,
    })),
    exitCodes: exitCodes.map(([code, meaning]) => ({ code, meaning })),
    examples,
  };
}
