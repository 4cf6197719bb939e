import { describe, expect, test } from 'vitest';

import { parseCommandLine } from '../../../ts/cli/command-line.ts';
import { UsageError } from '../../../ts/cli/usage-error.ts';

describe('a command line that is right', () => {
  test('run: what stands behind -- is the program\'s own', () => {
    expect(parseCommandLine(['run', 'a.ts', '--json', '--', 'in.jsonl', '--json'])).toEqual({
      name: 'run',
      file: 'a.ts',
      programArgs: ['in.jsonl', '--json'],
      pipeline: undefined,
      args: undefined,
      parallelism: undefined,
      json: true,
      quiet: false,
    });
  });

  test('run: a pipeline of a module with its argument and parallelism', () => {
    expect(parseCommandLine(['run', '--pipeline', 'bids', '--args', '{"day":1}', '--parallelism', '4', '-q', 'a.ts'])).toMatchObject({
      file: 'a.ts',
      pipeline: 'bids',
      args: { value: { day: 1 } },
      parallelism: 4,
      quiet: true,
    });
    expect(parseCommandLine(['run', 'a.ts', '--parallelism=auto', '--args=null'])).toMatchObject({ parallelism: 'auto', args: { value: null } });
  });

  test('explain: all levels, or one', () => {
    expect(parseCommandLine(['explain', 'a.ts'])).toMatchObject({ name: 'explain', level: 'all' });
    expect(parseCommandLine(['explain', 'a.ts', '--level', 'physical'])).toMatchObject({ level: 'physical' });
  });

  test.each([
    [['--help'], { name: 'help', of: undefined }],
    [['-h'], { name: 'help', of: undefined }],
    [['help', 'explain'], { name: 'help', of: 'explain' }],
    [['run', '--help'], { name: 'help', of: 'run' }],
    [['explain', 'a.ts', '-h'], { name: 'help', of: 'explain' }],
    [['--version'], { name: 'version' }],
    [['-v'], { name: 'version' }],
  ])('%j', (argv, command) => {
    expect(parseCommandLine(argv)).toEqual(command);
  });
});

describe('a command line that is wrong says what to type', () => {
  test.each([
    [[], /No command was given.*run and explain/],
    [['jobs', 'list'], /no command 'jobs'/],
    [['run'], /Which file\? Write sage-kernel run pipeline\.ts/],
    [['run', 'a.ts', 'b', 'c'], /sage-kernel run a\.ts -- b c/],
    [['run', 'a.ts', '--paralellism', '2'], /Unknown option '--paralellism'\. sage-kernel run --help/],
    [['run', 'a.ts', '--level', 'all'], /Unknown option '--level'/],
    [['explain', 'a.ts', '--quiet'], /Unknown option '--quiet'/],
    [['run', 'a.ts', '--args'], /--args/],
    [['run', 'a.ts', '--args', '{day:1}'], /--args is not JSON.*Write --args '\{/],
    [['run', 'a.ts', '--parallelism', '0'], /--parallelism is '0'/],
    [['run', 'a.ts', '--parallelism', '1.5'], /a whole number from 1, or auto/],
    [['explain', 'a.ts', '--level', 'everything'], /it can be logical, optimised, physical, all/],
  ])('%j', (argv, message) => {
    expect(() => parseCommandLine(argv)).toThrow(UsageError);
    expect(() => parseCommandLine(argv)).toThrow(message);
  });
});
