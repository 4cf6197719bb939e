import { describe, expect, test } from 'vitest';

import { parseCommandLine } from '../../../ts/cli/command-line.ts';
import { COMMANDS } from '../../../ts/cli/commands.ts';
import { UsageError } from '../../../ts/cli/usage-error.ts';

/** What a command that is right would be run with. */
function inputOf(...argv: readonly string[]): { command: string; values: object; operands: readonly string[]; programArgs: readonly string[] } {
  const line = parseCommandLine(argv);
  if (line.action !== 'run') throw new TypeError(`${argv.join(' ')} is read as ${line.action}`);
  return { command: line.command.name, ...line.input };
}

describe('a command line that is right', () => {
  test('run: what stands behind -- is the program\'s own', () => {
    expect(inputOf('run', 'a.ts', '--json', '--', 'in.jsonl', '--json')).toEqual({
      command: 'run',
      operands: ['a.ts'],
      programArgs: ['in.jsonl', '--json'],
      values: { pipeline: undefined, args: undefined, parallelism: undefined, json: true, quiet: false },
    });
  });

  test('run: a pipeline of a module with its argument and parallelism', () => {
    expect(inputOf('run', '--pipeline', 'bids', '--args', '{"day":1}', '--parallelism', '4', '-q', 'a.ts')).toMatchObject({
      operands: ['a.ts'],
      values: { pipeline: 'bids', args: { value: { day: 1 } }, parallelism: 4, quiet: true },
    });
    expect(inputOf('run', 'a.ts', '--parallelism=auto', '--args=null').values).toMatchObject({ parallelism: 'auto', args: { value: null } });
  });

  test('dev takes what run takes', () => {
    expect(inputOf('dev', 'a.ts', '-q', '--', 'x')).toEqual({ ...inputOf('run', 'a.ts', '-q', '--', 'x'), command: 'dev' });
  });

  test('explain: text of a level, or another form', () => {
    expect(inputOf('explain', 'a.ts').values).toMatchObject({ level: undefined, json: false, mermaid: false, svg: false });
    expect(inputOf('explain', 'a.ts', '--level', 'physical').values).toMatchObject({ level: 'physical' });
    expect(inputOf('explain', 'a.ts', '--svg').values).toMatchObject({ svg: true });
  });

  test('init: here or in a folder', () => {
    expect(inputOf('init').operands).toEqual([]);
    expect(inputOf('init', 'there', '-t', 'agent', '--force')).toMatchObject({ operands: ['there'], values: { template: 'agent', force: true, json: false } });
  });

  test.each([
    [['--help'], { action: 'help', of: undefined, json: false }],
    [['-h', '--json'], { action: 'help', of: undefined, json: true }],
    [['help', 'explain'], { action: 'help', of: { name: 'explain' }, json: false }],
    [['help', '--json', 'dev'], { action: 'help', of: { name: 'dev' }, json: true }],
    [['run', '--help'], { action: 'help', of: { name: 'run' }, json: false }],
    [['explain', 'a.ts', '-h', '--json'], { action: 'help', of: { name: 'explain' }, json: true }],
    [['--version'], { action: 'version', json: false }],
    [['-v', '--json'], { action: 'version', json: true }],
  ])('%j', (argv, line) => {
    expect(parseCommandLine(argv)).toMatchObject(line);
  });

  test('every command has --json and --help, and every example of a help text is right', () => {
    for (const command of COMMANDS) {
      expect(command.options['json']?.kind, command.name).toBe('flag');
      expect(parseCommandLine([command.name, '--help'])).toMatchObject({ action: 'help', of: { name: command.name } });
      expect(command.examples.length).toBeGreaterThan(0);
      for (const example of command.examples) expect(example).toContain(`sage-kernel ${command.name}`);
    }
  });
});

describe('a command line that is wrong says what to type', () => {
  test.each([
    [[], /No command was given\. Commands are run, dev, explain, deadletters, savepoint, init, doctor and completion; sage-kernel --help/],
    [['jobs', 'list'], /no command 'jobs'/],
    [['help', 'jobs'], /no command 'jobs'/],
    [['run'], /Which file\? Write sage-kernel run pipeline\.ts/],
    [['dev', '-q'], /Which file\? Write sage-kernel dev pipeline\.ts/],
    [['run', 'a.ts', 'b', 'c'], /sage-kernel run a\.ts -- b c/],
    [['run', 'a.ts', '--paralellism', '2'], /Unknown option '--paralellism'\. sage-kernel run --help/],
    [['run', 'a.ts', '--level', 'all'], /Unknown option '--level'/],
    [['explain', 'a.ts', '--quiet'], /Unknown option '--quiet'/],
    [['run', 'a.ts', '--args'], /--args/],
    [['run', 'a.ts', '--args', '{day:1}'], /--args is not JSON.*Write --args '\{/],
    [['run', 'a.ts', '--parallelism', '0'], /--parallelism is '0'/],
    [['run', 'a.ts', '--parallelism', '1.5'], /a whole number from 1, or auto/],
    [['explain', 'a.ts', '--level', 'everything'], /it can be logical, optimised, physical, all/],
    [['explain', 'a.ts', '--json', '--svg'], /^--json and --svg exclude each other/],
    [['explain', 'a.ts', '--level', 'all', '--mermaid'], /^--level and --mermaid exclude each other/],
    [['init', 'a', 'b'], /'b' is one argument too many\. Write sage-kernel init a\.$/],
    [['init', '--template', 'web'], /it can be script, files, agent, library/],
    [['doctor', 'me'], /'me' is one argument too many\. Write sage-kernel doctor\.$/],
    [['doctor', '--', 'me'], /doctor runs no program/],
    [['completion'], /Which shell\? Write sage-kernel completion bash, or zsh/],
    [['completion', 'fish'], /The shell is 'fish'; it can be bash, zsh/],
  ])('%j', (argv, message) => {
    expect(() => parseCommandLine(argv)).toThrow(UsageError);
    expect(() => parseCommandLine(argv)).toThrow(message);
  });
});
