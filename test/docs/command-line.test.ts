import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import manifest from '../../package.json' with { type: 'json' };
import plan from '../golden/plan.json' with { type: 'json' };
import { writeExampleFiles } from './example-files.ts';
import { fencesOf, infoValue } from './fences.ts';
import { ROOT } from '../../scripts/docs/source-file.ts';

const PAGE = 'docs/command-line.md';
const TIMEOUT_MS = 120_000;
const text = readFileSync(join(ROOT, PAGE), 'utf8');
const fences = fencesOf(text);
const commands = fences.filter(({ language }) => language === 'sh').flatMap((fence) => fence.text.trim().split('\n'));

let folder: string;
beforeAll(() => {
  expect(existsSync(join(ROOT, 'dist/index.js')), 'dist/ is missing: run npm run setup').toBe(true);
  // Given the files of the page, the package installed, and its command on the path
  folder = mkdtempSync(join(tmpdir(), 'sage-commands-'));
  writeExampleFiles(folder);
  for (const fence of fences) {
    const name = infoValue(fence, 'file');
    if (name !== undefined) writeFileSync(join(folder, name), fence.text);
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  symlinkSync(ROOT, join(folder, 'node_modules/sage-kernel'), 'junction');
  for (const [name, file] of Object.entries(manifest.bin)) {
    writeFileSync(join(folder, 'node_modules/.bin', name), `#!/bin/sh\nexec node "${join(ROOT, file)}" "$@"\n`, { mode: 0o755 });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Types a line into bash. What goes on for ever gets Ctrl-C when it says that it waits. */
function type(line: string): Promise<{ code: number | null; signal: NodeJS.Signals | null; output: string }> {
  const path = [join(folder, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH']].join(delimiter);
  const child = spawn('bash', ['--norc', '-c', line], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH: path, NO_COLOR: '1' } });
  let output = '';
  let isInterrupted = false;
  const read = (more: string): void => {
    output += more;
    if (isInterrupted || !/waiting for a change|"event":"ended"/.test(output)) return;
    isInterrupted = true;
    child.kill('SIGINT');
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', read);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

test('the page is what the table of commands makes of it', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/generate-command-line.mjs'), '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('the page has commands to type', () => {
  expect(commands.filter((line) => /sage-kernel (run|dev|explain|deadletters|init|doctor|completion)\b/.test(line)).length).toBeGreaterThanOrEqual(12);
});

describe.skipIf(process.platform === 'win32')('works as it stands:', () => {
  test.each(commands)('%s', { timeout: TIMEOUT_MS }, async (line) => {
    // Sourcing nothing would go well too.
    const { code, signal, output } = await type(line.startsWith('source ') ? `${line}; complete -p sage-kernel` : line);
    if (line.includes('sage-kernel dev')) expect([code, signal, output]).toEqual([null, 'SIGINT', expect.stringMatching(/square 4/)]);
    else expect([code, output]).toEqual([0, expect.any(String)]);
  });

  test('and leaves what it says', () => {
    expect(readFileSync(join(folder, 'totals.jsonl'), 'utf8').trimEnd().split('\n').toSorted()).toEqual(['{"key":"Ada","total":330}', '{"key":"Bob","total":40}']);
    expect(readFileSync(join(folder, 'plan.svg'), 'utf8')).toMatch(/^<svg /);
    expect(readFileSync(join(folder, '_sage-kernel'), 'utf8')).toMatch(/^#compdef sage-kernel sagek\n/);
    expect(existsSync(join(folder, 'totals/src/totals.ts'))).toBe(true);
    expect(existsSync(join(folder, 'triage/src/model.ts'))).toBe(true);
  });
});

test('the fields of a plan are those that the page lists', () => {
  const rows = [...text.slice(text.indexOf('## Plans as data')).matchAll(/^\| (`[^|]*) \| (.*) \|$/gm)].map(([, names, about]) => [names!, about!] as const);
  const words = (part: string): string[] => [...part.matchAll(/`(\w+)`/g)].map((match) => match[1]!);
  const listed = rows.flatMap(([names]) => words(names));
  expect(listed.slice(0, Object.keys(plan).length)).toEqual(Object.keys(plan));
  for (const field of ['operators', 'stages', 'exchanges', 'isolates'] as const) {
    const about = words(rows.find(([names]) => names === `\`${field}\``)![1]);
    const sample = plan[field];
    expect(about).toEqual(expect.arrayContaining(Object.keys(Array.isArray(sample) ? sample[0]! : sample)));
  }
});
