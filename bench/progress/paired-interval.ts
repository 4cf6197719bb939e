/** What a change costs, from pairs of measurements. */
export interface PairedInterval {
  /** Geometric mean of the ratios with / without. */
  readonly ratio: number;
  /** 95 % confidence interval of it. */
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
}

/** Two-sided 95 % point of Student's distribution, which is near that of the normal one for as many pairs as are taken. */
function studentPoint(degrees: number): number {
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
}

/** The interval of the mean ratio of pairs; at least ten of them. */
export function pairedInterval(pairs: readonly (readonly [withChange: number, without: number])[]): PairedInterval {
  const logs = pairs.map(([on, off]) => Math.log(on / off));
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1);
  const reach = studentPoint(logs.length - 1) * Math.sqrt(variance / logs.length);
  return { ratio: Math.exp(mean), low: Math.exp(mean - reach), high: Math.exp(mean + reach), pairs: logs.length };
}
