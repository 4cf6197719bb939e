import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SetupProblem } from '../../../scripts/setup/setup-problem.mjs';
import { setUp } from '../../../scripts/setup/set-up.mjs';

// A lock of its own: a real set-up of this folder may be running.
const folder = mkdtempSync(join(tmpdir(), 'sage-set-up-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const step = (name: string, current: boolean, ran: string[]) => {
  let isDone = current;
  return {
    name,
    isCurrent: () => isDone,
    run: () => {
      ran.push(name);
      isDone = true;
    },
  };
};

describe('setUp', () => {
  test('is silent when everything is up to date', async () => {
    const lines: string[] = [];
    await setUp([step('a', true, []), step('b', true, [])], (line) => lines.push(line), folder);
    expect(lines).toEqual([]);
  });

  test('does what is missing, in order, and says what and how long', async () => {
    const ran: string[] = [];
    const lines: string[] = [];
    await setUp([step('a', false, ran), step('b', true, ran), step('c', false, ran)], (line) => lines.push(line), folder);
    expect(ran).toEqual(['a', 'c']);
    expect(lines).toEqual([
      'set-up: a ...',
      expect.stringMatching(/^set-up: done in \d+\.\d s$/),
      'set-up: c ...',
      expect.stringMatching(/^set-up: done in \d+\.\d s$/),
    ]);
  });

  test('stops at the first step that fails', async () => {
    const ran: string[] = [];
    const failing = {
      name: 'broken',
      isCurrent: () => false,
      run: () => Promise.reject(new SetupProblem('cargo was not found: install it.')),
    };
    await expect(setUp([failing, step('after', false, ran)], () => {}, folder)).rejects.toThrow('cargo was not found');
    expect(ran).toEqual([]);
  });
});
