import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { DevEvent } from '../../../ts/cli/dev/dev-session.ts';
import { sageKernel } from './run-cli.ts';

const MAIN = fileURLToPath(new URL('../../../ts/cli/main.ts', import.meta.url));
const PACKAGE = pathToFileURL(fileURLToPath(new URL('../../../ts/index.ts', import.meta.url))).href;
const TIMEOUT_MS = 120_000;

let folder: string;
let dev: Dev | undefined;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sage-dev-')));
});
afterEach(async () => {
  await dev?.kill();
  dev = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** What a line of `dev --json` may be: an event, or the result of a job. */
type Line = DevEvent | { readonly event?: undefined; readonly status: string; readonly recordsIn: number };

/** A session of `dev --json` as a process of its own. */
class Dev {
  readonly #child;
  readonly #lines: Line[] = [];
  readonly #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #wake: () => void = () => undefined;
  stderr = '';

  constructor(...args: readonly string[]) {
    this.#child = spawn(process.execPath, [MAIN, 'dev', '--json', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#lines.push(JSON.parse(line) as Line);
      this.#wake();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** The next line; the test's own time limit ends the wait. */
  async next(): Promise<Line> {
    await this.#until(() => this.#lines.length > 0);
    return this.#lines.shift()!;
  }

  /** The lines up to the end of a run, that line included. */
  async run(): Promise<Line[]> {
    const lines: Line[] = [];
    do lines.push(await this.next());
    while (lines.at(-1)!.event !== 'ended');
    return lines;
  }

  /** Waits until the program has printed this. */
  async printed(text: string): Promise<void> {
    await this.#until(() => this.stderr.includes(text));
  }

  async signal(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.#child.kill(signal);
    return this.#ended;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.signal('SIGTERM');
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const more = new Promise<'more'>((resolve) => {
        this.#wake = () => resolve('more');
      });
      if ((await Promise.race([more, this.#ended])) !== 'more' && !isSo()) throw new Error(`dev ended: ${this.stderr}`);
    }
  }
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const prices = (factor: number): string => `export const factor: number = ${factor};\n`;
const PROGRAM = `import { LocalEnvironment } from '${PACKAGE}';
import { factor } from './factor.ts';
const env = new LocalEnvironment('prices');
env.fromCollection([1, 2, 3]).map((n) => n * factor).print('price');
await env.submit({ autostop: true });
`;
const statuses = (lines: readonly Line[]): unknown[] => lines.map((line) => (line.event === 'ended' ? [line.event, line.code] : (line.event ?? line.status)));

describe('sage-kernel dev', { timeout: TIMEOUT_MS }, () => {
  test('runs again when a file that the program imports is saved, and when the program itself is', async () => {
    // Given
    write('factor.ts', prices(10));
    const main = write('main.ts', PROGRAM);
    dev = new Dev('main.ts');
    expect(statuses(await dev.run())).toEqual(['started', 'finished', ['ended', 0]]);
    expect(dev.stderr).toContain('price 30\n');
    // When an import is saved
    const factor = write('factor.ts', prices(100));
    // Then
    expect(await dev.next()).toEqual({ event: 'changed', run: 1, files: [factor] });
    expect(await dev.next()).toEqual({ event: 'started', run: 2 });
    expect(statuses(await dev.run())).toEqual(['finished', ['ended', 0]]);
    expect(dev.stderr).toContain('price 300\n');
    // When the program is saved as many editors do: another file takes its name
    write('main.ts.new', PROGRAM.replace('n * factor', 'n + factor'));
    renameSync(join(folder, 'main.ts.new'), main);
    expect(await dev.next()).toEqual({ event: 'changed', run: 2, files: [main] });
    expect(statuses(await dev.run())).toEqual(['started', 'finished', ['ended', 0]]);
    expect(dev.stderr).toContain('price 103\n');
  });

  test('goes on after failures: of the job, of the syntax, of an import that is not there yet', async () => {
    write('factor.ts', prices(1));
    write('main.ts', PROGRAM);
    dev = new Dev('main.ts');
    await dev.run();
    // A job that fails
    write('factor.ts', "export const factor: any = { valueOf() { throw new RangeError('no factor'); } };\n");
    expect(statuses(await dev.run())).toEqual(['changed', 'started', 'failed', ['ended', 1]]);
    // A program that cannot be read; what it imported before stays watched
    write('main.ts', 'const = 1;\n');
    const [changed, started, failure, ended] = await dev.run();
    expect(statuses([changed!, started!, ended!])).toEqual(['changed', 'started', ['ended', 1]]);
    expect(failure).toMatchObject({ error: { message: expect.stringMatching(/^SyntaxError: /) } });
    // An import that is not there
    write('main.ts', "import './factor.ts';\nimport './later.ts';\n");
    expect(statuses(await dev.run()).at(-1)).toEqual(['ended', 1]);
    // It comes, with a pipeline
    write('later.ts', PROGRAM.replace('./factor.ts', './other.ts'));
    expect(statuses(await dev.run()).at(-1)).toEqual(['ended', 1]);
    write('other.ts', prices(7));
    expect(statuses(await dev.run())).toEqual(['changed', 'started', 'finished', ['ended', 0]]);
    expect(dev.stderr).toContain('price 21\n');
  });

  test('stops the jobs before it starts again: what they have read is written', async () => {
    // Given a job without an end that writes a file, which appears when the job ends well
    const endless = (name: string): string => `import { JsonLinesSink, LocalEnvironment } from '${PACKAGE}';
const env = new LocalEnvironment('endless');
let n = 0;
env.fromSource(() => n++, { unbounded: true }).map((n) => { if (n === 100) console.error('reading ${name}'); return { n }; }).sink(new JsonLinesSink('${name}.jsonl'));
await env.submit({ autostop: true });
`;
    write('main.ts', endless('first'));
    dev = new Dev('main.ts');
    await dev.printed('reading first');
    expect(existsSync(join(folder, 'first.jsonl'))).toBe(false);
    // When it is saved
    write('main.ts', endless('second'));
    // Then the first file is there, complete, before the second job runs
    await dev.printed('reading second');
    const lines = readFileSync(join(folder, 'first.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.at(-1)).toBe(`{"n":${lines.length - 1}}`);
    const events = [await dev.next(), await dev.next(), ...(await dev.run()), await dev.next()];
    expect(events.map((line) => line.event ?? line.status)).toEqual(['started', 'changed', 'stopped', 'ended', 'started']);
    expect(events[3]).toMatchObject({ run: 1, stopped: true });
    // And when dev itself is ended, so is the second
    expect(await dev.signal('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' });
    expect(readdirSync(folder).toSorted()).toEqual(['first.jsonl', 'main.ts', 'second.jsonl']);
  });

  test('Ctrl-C ends it while it waits for a change, by the signal', async () => {
    write('factor.ts', prices(1));
    write('main.ts', PROGRAM);
    dev = new Dev('main.ts');
    await dev.run();
    expect(await dev.signal('SIGINT')).toEqual({ code: null, signal: 'SIGINT' });
  });

  test('a program that hears nothing any more is killed, and the next one runs', async () => {
    write('main.ts', "console.error('busy');\nfor (;;);\n");
    dev = new Dev('main.ts');
    await dev.printed('busy');
    write('main.ts', "console.error('free');\nexport {};\n");
    const ended = (await dev.run()).at(-1);
    expect(ended).toMatchObject({ event: 'ended', run: 1, signal: 'SIGKILL', stopped: true });
    await dev.printed('free');
  });

  test('without --json it says so in words', async () => {
    const path = write('main.ts', "import './factor.ts';\n");
    write('factor.ts', prices(1));
    const child = spawn(process.execPath, [MAIN, 'dev', 'main.ts'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    const waits = [() => utimesSync(path, new Date(), new Date(0)), () => child.kill('SIGINT')];
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      while (text.match(/waiting for a change\n/g)?.length === 3 - waits.length) waits.shift()!();
    });
    await new Promise((resolve) => {
      child.on('close', resolve);
    });
    expect(text.split('\n').filter((line) => line.startsWith('sage-kernel dev: '))).toEqual([
      'sage-kernel dev: running main.ts',
      'sage-kernel dev: main.ts ended with exit code 2; waiting for a change',
      'sage-kernel dev: main.ts changed',
      'sage-kernel dev: running main.ts again (run 2)',
      'sage-kernel dev: main.ts ended with exit code 2; waiting for a change',
    ]);
  });

  test('a file that is not there is a mistake in the command line', async () => {
    expect(await sageKernel(['dev', join(folder, 'missing.ts')])).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no file') });
  });
});
