import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CRATE = fileURLToPath(new URL('../windows-loop/', import.meta.url));
const PROGRAM = `${CRATE}target/release/windows-loop${process.platform === 'win32' ? '.exe' : ''}`;

/** What the program says of a run. */
export interface LoopReport {
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly late: number;
}

/** What the program reads, and by which means. */
export type LoopReader = 'json-lines' | 'parquet-columns' | 'parquet-arrow';

/** Builds the crate `bench/windows-loop` with these readers; quick when there is nothing to do. @throws Error with what cargo says. */
export async function buildWindowsLoop(readers: readonly LoopReader[]): Promise<void> {
  const features = readers.includes('parquet-arrow') ? ['--features', 'arrow'] : [];
  await promisify(execFile)('cargo', ['build', '--release', '--locked', '--quiet', ...features], { cwd: CRATE });
}

/** What the program has to do. */
export interface LoopWork {
  readonly reader: LoopReader;
  readonly path: string;
  readonly to: string;
  readonly sizeMs: number;
  readonly disorderMs: number;
}

/** The loop in Rust: a process that runs once for each line that it is sent, and ends when its standard input does, with this process at the latest. */
export class WindowsLoop {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #reports: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  #complaints = '';

  constructor({ reader, path, to, sizeMs, disorderMs }: LoopWork) {
    this.#child = spawn(PROGRAM, [reader, path, to, String(sizeMs), String(disorderMs)]);
    this.#closed = once(this.#child, 'close');
    // It has ended: why, it says on standard error.
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#complaints += chunk.toString();
    });
    this.#reports = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** One run. @throws Error with what the program says when it fails. */
  async run(): Promise<LoopReport> {
    this.#child.stdin.write('\n');
    const { value, done } = await this.#reports.next();
    if (done !== true) return JSON.parse(value) as LoopReport;
    await this.#closed;
    throw new Error(`the loop in Rust ended: ${this.#complaints}`);
  }

  /** Peak of its resident memory, where the system tells that of another process. */
  peakRssMiB(): number | undefined {
    if (process.platform !== 'linux') return undefined;
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1]) / 1024;
  }
}
