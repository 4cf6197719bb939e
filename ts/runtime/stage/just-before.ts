const number = new Float64Array(1);
const bits = new BigInt64Array(number.buffer);

/** The greatest number that is less than `x`: watermarks exclude their own moment, while the timers of the core include it. */
export function justBefore(x: number): number {
  if (x === Number.NEGATIVE_INFINITY || Number.isNaN(x)) return x;
  if (x === 0) return -Number.MIN_VALUE;
  number[0] = x;
  bits[0]! += x > 0 ? -1n : 1n;
  return number[0];
}
