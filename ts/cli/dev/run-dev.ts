import { type ChildProcess, fork } from 'node:child_process';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';

import { flushOutput } from '../../common/flush-output.ts';
import { entryFile } from '../../common/package-paths.ts';
import { OUTPUT_DEADLINE_MS } from '../end-process.ts';
import { resolveProgram } from '../load-program.ts';
import type { Program } from '../program-options.ts';
import type { RunOptions } from '../run-in-terminal.ts';
import { type DevEvent, DevSession } from './dev-session.ts';
import { canReportImports } from './report-imports.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A terminal sends Ctrl-C to a whole group of processes, and some of those send it on. */
const SAME_SIGNAL_MS = 250;

/** `sage-kernel dev`: until a signal ends it. @throws UsageError when there is no such file. */
export async function runDev(program: Program & RunOptions): Promise<void> {
  if (!canReportImports) throw new Error(`dev needs Node 22.15 or newer, which tells what a program imports, and this is ${process.version}. Install a newer one, or use sage-kernel run.`);
  const file = resolveProgram(program.file);
  const session = new DevSession({
    file,
    start: () => startChild(program),
    onEvent: (event) => {
      if (program.json) process.stdout.write(`${JSON.stringify(event)}\n`);
      else process.stderr.write(`sage-kernel dev: ${eventText(event, program.file)}\n`);
    },
  });
  const signalled = untilSignal(session);
  session.start();
  await signalled;
}

function startChild(program: Program & RunOptions): ChildProcess {
  const child = fork(entryFile('cli/dev/dev-child'), [JSON.stringify(program)], { stdio: ['inherit', program.json ? 'pipe' : 'inherit', 'inherit', 'ipc'] });
  // Results and events share one output: whole lines only.
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => process.stdout.write(`${line}\n`));
  return child;
}

/** Resolves never: the process ends as the signal does. */
async function untilSignal(session: DevSession): Promise<void> {
  const first = Promise.withResolvers<NodeJS.Signals>();
  let firstMs: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (firstMs === undefined) first.resolve(signal);
    else if (nowMs - firstMs > SAME_SIGNAL_MS) session.kill();
    firstMs ??= nowMs;
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  const signal = await first.promise;
  // What a terminal sends reaches the program as well.
  await session.close(signal !== 'SIGTERM' && process.stdin.isTTY);
  for (const name of SIGNALS) process.off(name, listener);
  await flushOutput(OUTPUT_DEADLINE_MS);
  process.kill(process.pid, signal);
}

function eventText(event: DevEvent, file: string): string {
  switch (event.event) {
    case 'started':
      return event.run === 1 ? `running ${file}` : `running ${file} again (run ${event.run})`;
    case 'changed':
      return `${event.files.map((changed) => relative(process.cwd(), changed)).join(', ')} changed`;
    case 'ended': {
      if (event.stopped) return `${file} was stopped`;
      const how = event.signal === null ? `with exit code ${event.code}` : `by ${event.signal}`;
      return `${file} ended ${how}; waiting for a change`;
    }
  }
}
