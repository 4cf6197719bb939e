/** From when on local time is so far ahead of UTC, in milliseconds. */
export interface ZoneOffset {
  readonly fromMs: number;
  readonly offsetMs: number;
}

const DAY_MS = 86_400_000;
/** Changes within a hundred years are known; before and after, the first and last offset hold. */
const FIRST_MS = Date.UTC(1970, 0);
const LAST_MS = Date.UTC(2070, 0);
/** No zone changes its clocks twice within so long. */
const STEP_MS = 20 * DAY_MS;

const known = new Map<string, readonly ZoneOffset[]>();

/** Whether there is a time zone of this name, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** When clocks of a zone change from 1970 to 2070, oldest first. Takes some 50 ms the first time. */
export function zoneOffsets(timeZone: string): readonly ZoneOffset[] {
  let offsets = known.get(timeZone);
  if (offsets === undefined) {
    offsets = findOffsets(timeZone);
    known.set(timeZone, offsets);
  }
  return offsets;
}

function findOffsets(timeZone: string): ZoneOffset[] {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  });
  const offsetAt = (ms: number): number => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const year = parts['era'] === 'BC' ? 1 - Number(parts['year']) : Number(parts['year']);
    return Date.UTC(year, Number(parts['month']) - 1, Number(parts['day']), Number(parts['hour']), Number(parts['minute']), Number(parts['second'])) - ms;
  };
  const offsets: ZoneOffset[] = [{ fromMs: FIRST_MS, offsetMs: offsetAt(FIRST_MS) }];
  for (let ms = FIRST_MS; ms < LAST_MS; ms += STEP_MS) {
    const before = offsets.at(-1)!.offsetMs;
    const offsetMs = offsetAt(ms + STEP_MS);
    if (offsetMs === before) continue;
    // Clocks change at whole seconds.
    let [low, high] = [ms / 1000, (ms + STEP_MS) / 1000];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle * 1000) === before) low = middle;
      else high = middle;
    }
    offsets.push({ fromMs: high * 1000, offsetMs });
  }
  return offsets;
}
