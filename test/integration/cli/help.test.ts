import { describe, expect, test } from 'vitest';

import manifest from '../../../package.json' with { type: 'json' };
import { COMMANDS } from '../../../ts/cli/commands.ts';
import { helpText } from '../../../ts/cli/help-text.ts';
import { sageKernel } from './run-cli.ts';

interface CommandJson {
  readonly name: string;
  readonly options: readonly { readonly name: string; readonly value?: string; readonly choices?: readonly string[] }[];
  readonly exitCodes: readonly { readonly code: number }[];
}

describe('help', () => {
  test('lists the commands that exist, and no others', async () => {
    const { code, stdout } = await sageKernel(['--help']);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1]);
    expect(listed).toEqual(COMMANDS.map(({ name }) => name));
    expect(code).toBe(0);
  });

  test.each(COMMANDS.map(({ name }) => name))('of %s tells every option, choice and exit code, in lines that a terminal shows', async (name) => {
    const command = COMMANDS.find((one) => one.name === name)!;
    const text = helpText(command);
    for (const [option, { kind }] of Object.entries(command.options)) expect(text).toMatch(new RegExp(`^ {2}(-\\w, )?--${option}${kind === 'value' ? ' <\\w+>' : ''} {2}`, 'm'));
    for (const option of Object.values(command.options)) if (option.kind === 'value') for (const choice of option.choices ?? []) expect(text).toContain(choice);
    for (const [code] of command.exitCodes) expect(text).toMatch(new RegExp(`^ {2}${code} {2}`, 'm'));
    const examples = new Set(command.examples.map((example) => `  ${example}`));
    expect(text.split('\n').filter((line) => line.length > 80 && !examples.has(line))).toEqual([]);
  });

  test('as JSON has the same, for one command and for all', async () => {
    const all = JSON.parse((await sageKernel(['--help', '--json'])).stdout) as { commands: CommandJson[] };
    expect(all.commands.map(({ name, options }) => [name, options.map((option) => option.name)])).toEqual(
      COMMANDS.map(({ name, options }) => [name, Object.keys(options)]),
    );
    const one = JSON.parse((await sageKernel(['explain', '--help', '--json'])).stdout) as CommandJson;
    expect(one).toEqual(all.commands.find(({ name }) => name === 'explain'));
    expect(one.options.find(({ name }) => name === 'level')).toMatchObject({ value: 'level', choices: ['logical', 'optimised', 'physical', 'all'] });
    expect(one.exitCodes.map(({ code }) => code)).toEqual([0, 1, 2]);
  });

  test('--version is that of the package', async () => {
    expect((await sageKernel(['--version'])).stdout).toBe(`${manifest.version}\n`);
    expect(JSON.parse((await sageKernel(['--version', '--json'])).stdout)).toEqual({ version: manifest.version, node: process.version });
  });
});
