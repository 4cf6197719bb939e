/** Results go into an array of this many slots, over and over: they escape, and memory stays small. */
export const SLOTS = 65_536;
export const SLOT_MASK = SLOTS - 1;

/** An array for results. */
export function makeSlots<T>(): (T | undefined)[] {
  return Array.from({ length: SLOTS }, () => undefined);
}

/** Of the records that lie in the slots, and of how many there were; independent of nothing but the order. */
export function slotsChecksum(slots: readonly unknown[], stored: number): number {
  let sum = stored % 1_000_003;
  for (let n = 0; n < slots.length; n++) sum = mix(sum, slots[n]);
  return sum;
}

function mix(sum: number, value: unknown): number {
  if (value === undefined || value === null) return sum;
  if (typeof value === 'number') return Math.abs(sum * 31 + Math.round(value * 1000)) % 1_000_000_007;
  if (typeof value === 'string') return Math.abs(sum * 31 + value.length * 7 + (value.codePointAt(0) ?? 0)) % 1_000_000_007;
  if (typeof value === 'boolean') return Math.abs(sum * 31 + (value ? 1 : 2)) % 1_000_000_007;
  let mixed = sum;
  for (const field of Object.values(value)) mixed = mix(mixed, field);
  return mixed;
}
