import type { ChildProcess } from 'node:child_process';

import type { ImportedMessage, StopMessage } from './dev-messages.ts';
import { FileWatch } from './file-watch.ts';

/** What happens in a session, in this order for each run. */
export type DevEvent =
  | { readonly event: 'started'; readonly run: number }
  | { readonly event: 'changed'; readonly run: number; readonly files: readonly string[] }
  | {
      readonly event: 'ended';
      readonly run: number;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      /** Whether it was asked to end. */
      readonly stopped: boolean;
    };

/** What a session is made of. */
export interface DevSessionOptions {
  /** The program itself. */
  readonly file: string;
  /** Starts its process, with a channel for messages. */
  readonly start: () => ChildProcess;
  readonly onEvent: (event: DevEvent) => void;
}

/** Records in flight have this long to arrive before the jobs are cancelled. */
const STOP_DEADLINE_MS = 5_000;
/** A process that is busy in user code hears nothing; after this time it is killed. */
const CANCEL_DEADLINE_MS = 2_000;

interface Run {
  readonly number: number;
  readonly child: ChildProcess;
  readonly imported: Set<string>;
  readonly ended: Promise<void>;
  stopping: Promise<void> | undefined;
}

/** A program that is started again whenever one of its files is saved. */
export class DevSession {
  readonly #options: DevSessionOptions;
  readonly #watch: FileWatch;
  #run: Run | undefined;
  #runs = 0;
  #isRestarting = false;
  #isClosed = false;

  constructor(options: DevSessionOptions) {
    this.#options = options;
    this.#watch = new FileWatch((files) => void this.#restart(files));
    this.#watch.add(options.file);
  }

  /** Starts the program for the first time. */
  start(): void {
    const { file, start, onEvent } = this.#options;
    const number = ++this.#runs;
    const child = start();
    const ended = Promise.withResolvers<void>();
    const run: Run = { number, child, imported: new Set([file]), ended: ended.promise, stopping: undefined };
    this.#run = run;
    child.on('message', ({ file, signature }: ImportedMessage) => {
      run.imported.add(file);
      // One that is being stopped has nothing to say about the files that the next one reads.
      if (run.stopping === undefined) this.#watch.add(file, signature);
    });
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      // One that failed may have got only as far as to its mistake: what the run before it imported stays watched.
      if (code === 0) this.#watch.keepOnly(run.imported);
      if (this.#run === run) this.#run = undefined;
      onEvent({ event: 'ended', run: number, code, signal, stopped: run.stopping !== undefined });
      ended.resolve();
    });
    onEvent({ event: 'started', run: number });
  }

  /** Ends the program and the session. @param isTold whether the program already knows, as by Ctrl-C in its terminal. */
  async close(isTold: boolean): Promise<void> {
    this.#isClosed = true;
    this.#watch.close();
    await this.#stop(isTold);
  }

  /** Ends the program at once. */
  kill(): void {
    this.#run?.child.kill('SIGKILL');
  }

  async #restart(files: readonly string[]): Promise<void> {
    this.#options.onEvent({ event: 'changed', run: this.#runs, files });
    // The one that is about to start will read them.
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    await this.#stop(false);
    this.#isRestarting = false;
    if (!this.#isClosed) this.start();
  }

  async #stop(isTold: boolean): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    run.stopping ??= stopRun(run, isTold);
    await run.stopping;
  }
}

async function stopRun({ child, ended }: Run, isTold: boolean): Promise<void> {
  const message: StopMessage = { type: 'stop' };
  const tell = (): void => void (child.connected && child.send(message, () => undefined));
  if (!isTold) tell();
  let kill: NodeJS.Timeout | undefined;
  const cancel = setTimeout(() => {
    tell();
    kill = setTimeout(() => child.kill('SIGKILL'), CANCEL_DEADLINE_MS);
  }, STOP_DEADLINE_MS);
  await ended;
  clearTimeout(cancel);
  clearTimeout(kill);
}
