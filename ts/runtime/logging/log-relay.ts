import { plainValue, shortened } from '../../common/plain-value.ts';
import { isAtLeast, type LogLevel } from '../../functions/log-level.ts';
import { entryLogger, type LogEntry, type LogFields, type Logger } from '../../functions/logger.ts';
import { deserializeCause, serializeCause } from '../worker/serialize-error.ts';
import type { SerializedCause } from '../worker/worker-protocol.ts';
import { readableFields } from './readable-fields.ts';
import { droppedEntry } from './stderr-log.ts';

/** A log line as it travels from a worker thread to its job. */
export interface RelayedEntry {
  readonly level: LogLevel;
  readonly timeMs: number;
  /** As JSON: what the line weighs is known. */
  readonly bindings: string;
  readonly fields: string;
  /** Fields that are errors. */
  readonly errors: Readonly<Record<string, SerializedCause>>;
  readonly message: string;
}

/** What a worker thread is given for its lines. */
export interface LogRelayAssignment {
  readonly level: LogLevel;
  /** Lines and characters that are on their way, and lines that were dropped: written by both threads. */
  readonly pending: SharedArrayBuffer;
}

const LINES = 0;
const CHARACTERS = 1;
/** Lines that were dropped and that nobody was told of. */
const DROPPED = 2;
const COUNTERS = 3;
/** Lines that may be on their way while the main isolate is busy. */
const MOST_LINES = 10_000;
const MOST_CHARACTERS = 8 * 2 ** 20;
/** For warnings and errors there is room when the others are dropped already. */
const ROOM_FOR_WARNINGS = 2;
const MOST_MESSAGE_CHARACTERS = 10_000;

/** An assignment for a new worker thread. */
export function relayAssignment(level: LogLevel): LogRelayAssignment {
  return { level, pending: new SharedArrayBuffer(COUNTERS * Int32Array.BYTES_PER_ELEMENT) };
}

/**
 * The end of a worker thread: sends each line at once, so that they come in order and none is left behind when the thread ends,
 * however it does. Under a flood lines are dropped, and a line says how many.
 */
export class LogRelay {
  readonly logger: Logger;
  readonly #pending: Int32Array;
  readonly #send: (entry: RelayedEntry) => void;

  constructor({ level, pending }: LogRelayAssignment, send: (entry: RelayedEntry) => void) {
    this.#pending = new Int32Array(pending);
    this.#send = send;
    this.logger = entryLogger({ bindings: {}, isEnabled: (of) => isAtLeast(of, level), write: (entry) => this.#write(entry) });
  }

  /** Says how many lines were dropped, if any were. To be called when no more come. */
  end(): void {
    const dropped = Atomics.exchange(this.#pending, DROPPED, 0);
    if (dropped > 0) this.#post(relayed(droppedEntry(dropped, {})));
  }

  #write(entry: LogEntry): void {
    const room = isAtLeast(entry.level, 'warn') ? ROOM_FOR_WARNINGS : 1;
    if (Atomics.load(this.#pending, LINES) >= room * MOST_LINES || Atomics.load(this.#pending, CHARACTERS) >= room * MOST_CHARACTERS) {
      Atomics.add(this.#pending, DROPPED, 1);
      return;
    }
    this.end();
    this.#post(relayed(entry));
  }

  #post(entry: RelayedEntry): void {
    Atomics.add(this.#pending, LINES, 1);
    Atomics.add(this.#pending, CHARACTERS, weight(entry));
    this.#send(entry);
  }
}

/** The job's end: a line that has come, which frees its place. */
export function receiveEntry(entry: RelayedEntry, { pending }: LogRelayAssignment): LogEntry {
  const counts = new Int32Array(pending);
  Atomics.sub(counts, LINES, 1);
  Atomics.sub(counts, CHARACTERS, weight(entry));
  const errors = Object.entries(entry.errors).map(([name, error]) => [name, deserializeCause(error)] as const);
  return {
    level: entry.level,
    timeMs: entry.timeMs,
    bindings: JSON.parse(entry.bindings) as LogFields,
    fields: { ...(JSON.parse(entry.fields) as LogFields), ...Object.fromEntries(errors) },
    message: entry.message,
  };
}

/**
 * What a thread that is gone has dropped and not said, and what of it never came: it was ended in the middle of it. Undefined when there is
 * nothing of that kind.
 */
export function lostEntry({ pending }: LogRelayAssignment): LogEntry | undefined {
  const counts = new Int32Array(pending);
  const lost = Atomics.exchange(counts, DROPPED, 0) + Atomics.exchange(counts, LINES, 0);
  return lost === 0 ? undefined : droppedEntry(lost, {});
}

function relayed({ level, timeMs, bindings, fields, message }: LogEntry): RelayedEntry {
  const errors: Record<string, SerializedCause> = {};
  const others: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(readableFields(fields))) {
    if (value instanceof Error) errors[name] = serializeCause(value);
    else others[name] = value;
  }
  return {
    level,
    timeMs,
    bindings: JSON.stringify(plainValue(bindings)),
    fields: JSON.stringify(plainValue(others)),
    errors,
    message: shortened(message, MOST_MESSAGE_CHARACTERS),
  };
}

function weight({ bindings, fields, message, errors }: RelayedEntry): number {
  const stacks = Object.values(errors).map((error) => (error.kind === 'error' ? error.message.length + (error.stack?.length ?? 0) : 0));
  return stacks.reduce((sum, characters) => sum + characters, bindings.length + fields.length + message.length);
}
