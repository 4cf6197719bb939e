import type { StreamTime } from './stage-times.ts';

interface Epoch {
  /** Records of the epoch that are still in the operator. */
  open: number;
  /** How far event time was behind its records. */
  time: StreamTime | undefined;
}

/**
 * Keeps watermarks behind the records that came before them, in an operator in which records overtake each other: one is let go
 * when all of these have left.
 */
export class HeldTimes {
  /** Oldest first; the last one has no time yet. */
  readonly #epochs: Epoch[] = [{ open: 0, time: undefined }];
  readonly #letGo: (time: StreamTime) => void;

  constructor(letGo: (time: StreamTime) => void) {
    this.#letGo = letGo;
  }

  /** A record comes in; gives what `left` has to be given for it. */
  entered(): object {
    const epoch = this.#epochs.at(-1)!;
    epoch.open++;
    return epoch;
  }

  /** Which of the open epochs one is, the oldest being 0. */
  placeOf(epoch: object): number {
    return this.#epochs.indexOf(epoch as Epoch);
  }

  /** How far event time was behind the records of each open epoch but the last one, whose time has not come. */
  get times(): readonly StreamTime[] {
    return this.#epochs.flatMap(({ time }) => time ?? []);
  }

  /** A record has left, with a result or without. */
  left(epoch: object): void {
    (epoch as Epoch).open--;
    while (this.#epochs.length > 1 && this.#epochs[0]!.open === 0) this.#letGo(this.#epochs.shift()!.time!);
  }

  /** Event time has come so far behind all records so far. */
  timeChanged(time: StreamTime): void {
    const last = this.#epochs.at(-1)!;
    if (last.open > 0) {
      last.time = time;
      this.#epochs.push({ open: 0, time: undefined });
      return;
    }
    const before = this.#epochs.at(-2);
    if (before === undefined) this.#letGo(time);
    else before.time = time;
  }
}
