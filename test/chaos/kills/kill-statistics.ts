import type { KillRun } from './kill-run.ts';

/** What the kills of many cases were like. */
export interface KillStatistics {
  readonly kills: number;
  /** The process that was killed had written a checkpoint. */
  readonly afterEpoch: number;
  /** The next process did not begin where the killed one had. */
  readonly recovered: number;
  /** Of the records, on average for each kill. */
  readonly readAgainShare: number;
  /** The most that were read again. */
  readonly mostReadAgain: number;
}

export function statisticsOf(runs: readonly KillRun[]): KillStatistics {
  const kills = runs.flatMap((run) => run.kills);
  const again = kills.map(({ readAgain }) => readAgain);
  const records = runs.reduce((sum, run) => sum + run.records * run.kills.length, 0);
  return {
    kills: kills.length,
    afterEpoch: kills.filter(({ isAfterEpoch }) => isAfterEpoch).length,
    recovered: kills.filter(({ recovered }) => recovered > 0).length,
    readAgainShare: again.reduce((sum, count) => sum + count, 0) / Math.max(1, records),
    mostReadAgain: Math.max(0, ...again),
  };
}
