const QUARTER_MS = 15 * 60_000;
const HOUR_MS = 3_600_000;

/** What the clocks of a place show, by the platform and not by our tables. Local times are written as if they were of UTC. */
export interface LocalTime {
  /** What clocks show at a moment. */
  readonly shownAt: (ms: number) => number;
  /** The first moment at which clocks show this or more. Clocks change at whole quarters of an hour. */
  readonly firstShowing: (local: number) => number;
}

const known = new Map<string, LocalTime>();

/** The clocks of a time zone. */
export function localTimeOf(timeZone: string): LocalTime {
  let time = known.get(timeZone);
  if (time === undefined) known.set(timeZone, (time = makeLocalTime(timeZone)));
  return time;
}

function makeLocalTime(timeZone: string): LocalTime {
  // `2022-03-27 03:00:00`
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const shownAt = (ms: number): number => {
    const second = Math.floor(ms / 1000) * 1000;
    return Date.parse(`${format.format(second).replace(' ', 'T')}Z`) + (ms - second);
  };
  const moments = new Map<number, number>();
  const firstShowing = (local: number): number => {
    let moment = moments.get(local);
    if (moment === undefined) {
      // No clock is further ahead of UTC than 14 hours.
      moment = local - 15 * HOUR_MS;
      while (shownAt(moment) < local) moment += QUARTER_MS;
      moments.set(local, moment);
    }
    return moment;
  };
  return { shownAt, firstShowing };
}
