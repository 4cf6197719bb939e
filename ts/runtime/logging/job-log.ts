import { isAtLeast, LOG_LEVELS, type LogLevel, logLevelFromEnvironment } from '../../functions/log-level.ts';
import { entryLogger, type LogEntry, type LogFields, type Logger } from '../../functions/logger.ts';
import { StderrLog } from './stderr-log.ts';

/** Children of a logger for places in worker threads; more than that are made anew. */
const MOST_CHILDREN = 1_000;

/** Where the log lines of a job go: to the logger of its environment, or to standard error. Lives in the main isolate. */
export class JobLog {
  /** Of the job; lines of operators come from its children. */
  readonly logger: Logger;
  /** The least severe level that is written, when that is known: worker threads keep the others to themselves. */
  readonly level: LogLevel;
  /** Whether the environment has a logger. */
  readonly isGiven: boolean;
  readonly #write: (entry: LogEntry) => void;
  readonly #children = new Map<string, Logger>();
  #complained = false;

  /** @param given the logger of the environment. */
  constructor(bindings: { readonly job: string; readonly jobId: string }, given: Logger | undefined) {
    this.isGiven = given !== undefined;
    if (given === undefined) {
      const level = logLevelFromEnvironment();
      const stderr = new StderrLog();
      this.level = level;
      this.logger = entryLogger({ bindings, isEnabled: (of) => isAtLeast(of, level), write: (entry) => stderr.write(entry) });
      this.#write = (entry) => stderr.write({ ...entry, bindings: { ...bindings, ...entry.bindings } });
    } else {
      this.level = LOG_LEVELS.find((level) => given.isLevelEnabled?.(level) ?? true) ?? 'silent';
      this.logger = given.child(bindings);
      this.#write = (entry) => this.#toLogger(entry);
    }
  }

  /** A line of a worker thread. */
  receive(entry: LogEntry): void {
    try {
      this.#write(entry);
    } catch (error) {
      // In the main isolate it would be an error of the function that wrote the line; here nobody is there to take it.
      if (!this.#complained) process.emitWarning(`the logger of the environment threw, and lines of worker threads are lost: ${String(error)}`, { type: 'SageWarning' });
      this.#complained = true;
    }
  }

  #toLogger({ level, bindings, fields, message }: LogEntry): void {
    if (level === 'silent') return;
    this.#child(bindings)[level](fields, message);
  }

  #child(bindings: LogFields): Logger {
    const key = JSON.stringify(bindings);
    let child = this.#children.get(key);
    if (child === undefined) {
      if (this.#children.size >= MOST_CHILDREN) this.#children.clear();
      child = this.logger.child(bindings);
      this.#children.set(key, child);
    }
    return child;
  }
}
