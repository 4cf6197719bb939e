/** One write, and until when it holds. */
interface Written<T> {
  readonly value: T;
  readonly untilMs: number;
}

/** States as anybody would write them: everything in plain maps, what has expired filtered at each read, an undone attempt by a copy from before. */
export class NaiveStates {
  nowMs = 0;
  readonly #ttlMs: number;
  #value = new Map<number, Written<number>>();
  #list = new Map<number, Written<number>[]>();
  #map = new Map<number, Written<readonly [string, number]>[]>();
  #total = new Map<number, Written<number>>();
  #before: (() => void) | undefined;

  constructor(ttlMs: number | undefined) {
    this.#ttlMs = ttlMs ?? Number.POSITIVE_INFINITY;
  }

  begin(): void {
    const copies = [new Map(this.#value), new Map(this.#list), new Map(this.#map), new Map(this.#total)] as const;
    this.#before = () => {
      [this.#value, this.#list, this.#map, this.#total] = [...copies];
    };
  }

  rollback(): void {
    this.#before!();
  }

  #written<T>(value: T): Written<T> {
    return { value, untilMs: this.nowMs + this.#ttlMs };
  }

  #there = ({ untilMs }: Written<unknown>): boolean => untilMs > this.nowMs;

  value(slot: number): number | undefined {
    const one = this.#value.get(slot);
    return one !== undefined && this.#there(one) ? one.value : undefined;
  }

  setValue(slot: number, value: number | undefined): void {
    if (value === undefined) this.#value.delete(slot);
    else this.#value.set(slot, this.#written(value));
  }

  list(slot: number): number[] {
    return (this.#list.get(slot) ?? []).filter(this.#there).map(({ value }) => value);
  }

  add(slot: number, value: number): void {
    this.#list.set(slot, [...(this.#list.get(slot) ?? []), this.#written(value)]);
  }

  clearList(slot: number): void {
    this.#list.delete(slot);
  }

  entries(slot: number): (readonly [string, number])[] {
    return (this.#map.get(slot) ?? []).filter(this.#there).map(({ value }) => value);
  }

  setEntry(slot: number, key: string, value: number): void {
    const all = (this.#map.get(slot) ?? []).filter(this.#there);
    const place = all.findIndex(({ value: [name] }) => name === key);
    const written = this.#written([key, value] as const);
    if (place >= 0 && this.#ttlMs === Number.POSITIVE_INFINITY) this.#map.set(slot, all.with(place, written));
    else this.#map.set(slot, [...all.filter((_, n) => n !== place), written]);
  }

  deleteEntry(slot: number, key: string): boolean {
    const all = (this.#map.get(slot) ?? []).filter(this.#there);
    this.#map.set(slot, all.filter(({ value: [name] }) => name !== key));
    return all.some(({ value: [name] }) => name === key);
  }

  clearMap(slot: number): void {
    this.#map.delete(slot);
  }

  total(slot: number): number | undefined {
    const one = this.#total.get(slot);
    return one !== undefined && this.#there(one) ? one.value : undefined;
  }

  addTotal(slot: number, value: number): void {
    this.#total.set(slot, this.#written((this.total(slot) ?? 0) + value));
  }

  isEmpty(slot: number): boolean {
    return this.value(slot) === undefined && this.list(slot).length === 0 && this.entries(slot).length === 0 && this.total(slot) === undefined;
  }
}
