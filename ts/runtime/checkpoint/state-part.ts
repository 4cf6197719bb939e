import type { EntryReader } from './entry-reader.ts';
import type { EntryWriter } from './entry-writer.ts';

/** What an own part of one instance was in the epoch that is restored. */
export interface SavedPart {
  /** The instance that saved it. */
  readonly instance: number;
  /** How many instances there were. */
  readonly parallelism: number;
  readonly bytes: Buffer;
}

interface BasePart {
  /** Id of the operator (`operatorId`). */
  readonly operator: string;
  /** Which of the parts of the operator: `position`, `state`, `timers`, `calls` ... One operator has each name once in a task. */
  readonly name: string;
}

/** State of one instance that no key decides the place of. */
export interface OwnStatePart extends BasePart {
  readonly kind: 'own';
  /** Called between two records, with nothing on its way through the task but what parts hold. The bytes are copied before anything else is called. */
  save(): Uint8Array;
  /**
   * Called once, before `open` of the functions and the first record, with what all old instances saved: at another parallelism the
   * new instances share it out among themselves (`takenOver`).
   */
  restore(saved: readonly SavedPart[]): void;
}

/** State by key: at another parallelism each entry goes to the instance that has its key group then. */
export interface KeyedStatePart extends BasePart {
  readonly kind: 'keyed';
  /** As `OwnStatePart.save`. */
  save(entries: EntryWriter): void;
  /**
   * Writes what has changed since the last call of this or of `save`: of each key its last entry counts. Nothing is written, and it is false,
   * when everything is to be saved instead. Parts without it are always saved as a whole.
   */
  saveChanges?(entries: EntryWriter): boolean;
  /** As `OwnStatePart.restore`, with the entries of the key groups of this instance. */
  restore(entries: EntryReader): void;
}

/** State of the core, by its handle: `stateSave`, `stateSaveChanges` and `stateRestore` of the core, entries by key group. */
export interface CoreStatePart extends BasePart {
  readonly kind: 'core';
  readonly handle: number;
}

/** What one instance of one operator hands over at a barrier, and gets back after a restart. */
export type StatePart = OwnStatePart | KeyedStatePart | CoreStatePart;

/** Those of the saved parts that are this instance's to go on with, where anything may go to any instance: each part goes to exactly one. */
export function takenOver<P extends Pick<SavedPart, 'instance'>>(saved: readonly P[], instance: number, parallelism: number): readonly P[] {
  return saved.filter((part) => part.instance % parallelism === instance);
}
