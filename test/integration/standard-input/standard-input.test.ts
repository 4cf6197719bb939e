import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('programs/read-lines.ts', import.meta.url));

let folder: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-stdin-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A program that reads the standard input, and what it wrote. */
interface Reader {
  readonly stdin: Writable | null;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; lines: string[] }>;
  /** Resolves when the line was printed. */
  readonly printed: (line: string) => Promise<void>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

function start(args: readonly string[], stdin: 'pipe' | number = 'pipe'): Reader {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: [stdin, 'pipe', 'inherit'] });
  children.push(child);
  // A reader that leaves early closes its end of the pipe.
  child.stdin?.on('error', () => {});
  let text = '';
  const lines = (): string[] => text.split('\n').slice(0, -1);
  const waiting = new Set<() => void>();
  (child.stdout as Readable).setEncoding('utf8').on('data', (more: string) => {
    text += more;
    for (const look of waiting) look();
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; lines: string[] }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, lines: lines() }));
  });
  const printed = (line: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!lines().includes(line)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { stdin: child.stdin, ended, printed, kill: (signal) => child.kill(signal) };
}

const LINES = Array.from({ length: 20_000 }, (_, n) => `${n} é😀`);
const TEXT = `${LINES.join('\n')}\n`;

test.each([
  ['plain', Buffer.from(TEXT)],
  ['gzip', gzipSync(TEXT)],
  ['zstd', zstdCompressSync(TEXT)],
  ['nothing', Buffer.alloc(0)],
])('a pipe: %s', async (name, content) => {
  const reader = start(['all']);
  reader.stdin!.end(content);
  expect(await reader.ended).toEqual({ code: 0, signal: null, lines: [...(name === 'nothing' ? [] : LINES), 'finished'] });
});

test('a file that is redirected, from where its reader stands', async () => {
  const path = join(folder, 'in.txt');
  writeFileSync(path, TEXT);
  const file = openSync(path, 'r');
  const reader = start(['all'], file);
  closeSync(file);
  expect((await reader.ended).lines).toEqual([...LINES, 'finished']);
});

test('two worker threads behind one reader', async () => {
  const reader = start(['parallel']);
  reader.stdin!.end(TEXT);
  const { code, lines } = await reader.ended;
  expect(code).toBe(0);
  expect(lines.toSorted()).toEqual([...LINES, 'finished'].toSorted());
});

test('a line goes on when it is there, not when the pipe ends', async () => {
  const reader = start(['all']);
  for (const line of ['one', 'two', 'three']) {
    reader.stdin!.write(`${line}\nhalf of the nex`);
    await reader.printed(line === 'one' ? 'one' : `half of the nex${line}`);
  }
  reader.stdin!.end('t');
  expect((await reader.ended).lines).toEqual(['one', 'half of the nextwo', 'half of the nexthree', 'half of the next', 'finished']);
});

test.each(['cancel', 'stop'])('%s leaves a pipe that says nothing', async (how) => {
  const reader = start([how, '1']);
  reader.stdin!.write('one\nand half a li');
  const { code, lines } = await reader.ended;
  expect(code).toBe(0);
  expect(lines).toEqual(['one', how === 'cancel' ? 'canceled' : 'stopped']);
});

test('a signal leaves a pipe that says nothing', async () => {
  const reader = start(['all']);
  reader.stdin!.write('one\n');
  await reader.printed('one');
  reader.kill('SIGTERM');
  expect(await reader.ended).toMatchObject({ code: 0, lines: ['one', 'stopped'] });
});

test('one that has enough leaves a writer that never ends', async () => {
  const reader = start(['take', '3']);
  let line = 0;
  const feed = (): void => {
    while (reader.stdin!.write(`${line++}\n`.repeat(1000))) if (!reader.stdin!.writable) return;
    reader.stdin!.once('drain', feed);
  };
  feed();
  expect(await reader.ended).toEqual({ code: 0, signal: null, lines: ['0', '0', '0', 'left'] });
});

test('a job may read the standard input after another has', async () => {
  const reader = start(['twice']);
  reader.stdin!.end('one\n');
  expect((await reader.ended).lines).toEqual(['one', 'finished', '0']);
});
