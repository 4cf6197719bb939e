/** How many cases a property draws: `SAGE_PROPERTY_RUNS`, as the long runs of `.ci/run` set it. */
export const PROPERTY_RUNS: number = Number(process.env['SAGE_PROPERTY_RUNS'] ?? 100);

/** What a property draws whose cases take long, as when each runs jobs: this share of what the others draw. */
export function shareOfRuns(share: number): number {
  return Math.ceil(PROPERTY_RUNS * share);
}
