/** Numbers that a seed decides: the same seed gives the same numbers. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    // Seeds that people choose are small and alike: what is drawn first must not be.
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.floor(seed / 2 ** 32);
    this.#draw();
  }

  /** A whole number below `count`, each as likely as the others. */
  below(count: number): number {
    return Math.floor((this.#draw() / 2 ** 32) * count);
  }

  /** 32 bits; the generator is "mulberry32", which passes the usual tests and has a state of one number. */
  #draw(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
