import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { COMMANDS } from '../../../ts/cli/commands.ts';
import { bashCompletion } from '../../../ts/cli/completion/bash-completion.ts';
import { zshCompletion } from '../../../ts/cli/completion/zsh-completion.ts';
import { sageKernel } from './run-cli.ts';

/** Whether its tests run: where it is installed, and where SAGE_TEST_SHELLS says that it must be. */
const isTested = (shell: string): boolean => process.env['SAGE_TEST_SHELLS']?.split(',').includes(shell) === true || spawnSync(shell, ['-c', 'true']).status === 0;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-completion-'));
  for (const name of ['totals.ts', 'top.mjs', 'notes.md', 'has space.ts']) writeFileSync(join(folder, name), '');
  mkdirSync(join(folder, 'things'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(['bash', 'zsh'])('completion %s prints the script; --json has it as a field', async (shell) => {
  const { code, stdout } = await sageKernel(['completion', shell]);
  expect(code).toBe(0);
  const script = shell === 'bash' ? bashCompletion(COMMANDS) : zshCompletion(COMMANDS);
  expect(stdout).toBe(`${script}\n`);
  expect(JSON.parse((await sageKernel(['completion', shell, '--json'])).stdout)).toEqual({ shell, script });
});

describe.skipIf(!isTested('bash'))('bash offers', () => {
  /** What bash would offer when Tab is pressed behind the last of these words. */
  function complete(...words: readonly string[]): string[] {
    const quoted = ['sage-kernel', ...words].map((word) => `'${word}'`).join(' ');
    const program = `${bashCompletion(COMMANDS)}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _sage_kernel; for one in "\${COMPREPLY[@]}"; do printf '%s\\n' "$one"; done`;
    const { status, stdout, stderr } = spawnSync('bash', ['--norc', '--noprofile', '-c', program], { cwd: folder, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return stdout.split('\n').filter((line) => line !== '').toSorted();
  }

  test('the commands', () => {
    expect(complete('')).toEqual([...COMMANDS.map(({ name }) => name), 'help', '--help', '--version'].toSorted());
    expect(complete('d')).toEqual(['deadletters', 'dev', 'doctor']);
    expect(complete('help', 'e')).toEqual(['explain']);
  });

  test.each(COMMANDS.map(({ name }) => name))('the options of %s', (name) => {
    const { options, takesProgramArgs } = COMMANDS.find((one) => one.name === name)!;
    const expected = [...Object.keys(options).map((option) => `--${option}`), '--help', ...(takesProgramArgs ? ['--'] : [])];
    expect(complete(name, '-')).toEqual(expected.toSorted());
  });

  test('the values of options that have a few', () => {
    expect(complete('explain', 'totals.ts', '--level', 'p')).toEqual(['physical']);
    expect(complete('init', '-t', '')).toEqual(['agent', 'files', 'library', 'script']);
    expect(complete('run', '--parallelism', '')).toEqual([]);
  });

  test('programs and folders where a program is wanted, once; any file behind --', () => {
    expect(complete('run', 't')).toEqual(['things', 'top.mjs', 'totals.ts']);
    expect(complete('run', '--parallelism', '2', 'h')).toEqual(['has space.ts']);
    expect(complete('run', 'totals.ts', '')).toEqual([]);
    expect(complete('run', 'totals.ts', '--', 'n')).toEqual(['notes.md']);
    expect(complete('init', 't')).toEqual(['things']);
  });

  test('the shells', () => {
    expect(complete('completion', '')).toEqual(['bash', 'zsh']);
  });
});

describe.skipIf(!isTested('zsh'))('zsh', () => {
  /** What the line becomes when Tab is pressed at its end: zsh runs in a terminal of its own, and its last key writes the line down. */
  function complete(line: string): string {
    writeFileSync(join(folder, 'setup.zsh'), `${SETUP}\n${zshCompletion(COMMANDS)}\nprint ready\n`);
    const program = `zmodload zsh/zpty; zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell 'source ./setup.zsh'
zpty -r -m shell text '*ready*'
zpty -w -n shell "$1"$'\t\x18'
while zpty -r shell text; do :; done`;
    const { status, stderr } = spawnSync('zsh', ['-f', '-c', program, 'zsh', line], { cwd: folder, encoding: 'utf8', timeout: 20_000 });
    expect([status, stderr]).toEqual([0, '']);
    return readFileSync(join(folder, 'line'), 'utf8');
  }
  const SETUP = `autoload -U compinit && compinit -u -D
write-line() { print -rn -- "$BUFFER" > ./line; exit }
zle -N write-line; bindkey '^X' write-line; bindkey '^I' complete-word`;

  test('finds no mistake of syntax', () => {
    writeFileSync(join(folder, '_sage-kernel'), zshCompletion(COMMANDS));
    expect(spawnSync('zsh', ['-n', join(folder, '_sage-kernel')], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  test.each([
    ['sage-kernel do', 'sage-kernel doctor '],
    ['sage-kernel help ex', 'sage-kernel help explain '],
    ['sage-kernel explain totals.ts --level p', 'sage-kernel explain totals.ts --level physical '],
    ['sage-kernel init --t', 'sage-kernel init --template '],
    ['sage-kernel init there -t a', 'sage-kernel init there -t agent '],
    ['sagek run tot', 'sagek run totals.ts '],
    ['sagek completion z', 'sagek completion zsh '],
  ])('completes %s', { timeout: 60_000 }, (line, completed) => {
    expect(complete(line)).toBe(completed);
  });
});
