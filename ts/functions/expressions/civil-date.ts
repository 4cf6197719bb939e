import type { DateUnit } from './operation.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** 1970-01-01 was a Thursday. */
const FIRST_MONDAY_DAYS = 3;

const ISO = /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * The date of an ISO 8601 text: a day, or a day and a time, with or without an offset; without one it is UTC. `undefined` for any other text.
 * (`Date.parse` takes more, which differs from engine to engine, and reads some texts in the local time zone.)
 */
export function parseIsoDate(text: string): Date | undefined {
  const match = ISO.exec(text);
  if (match === null || match[1] === '-000000') return undefined;
  const part = (group: number): number => Number(match[group] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // The 31st of a month with 30 days goes on into the next.
  if (date.getUTCDate() !== day) return undefined;
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offset = offsetMs(match[8]);
  if (offset === undefined) return undefined;
  date.setTime(date.getTime() + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + milliseconds - offset);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function offsetMs(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z') return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * HOUR_MS + minutes * MINUTE_MS);
}

/** The beginning of the year, month, week (Monday), day ... in UTC. An invalid date stays one. */
export function truncateDate(date: Date, unit: DateUnit): Date {
  const ms = date.getTime();
  switch (unit) {
    case 'second':
      return new Date(Math.floor(ms / SECOND_MS) * SECOND_MS);
    case 'minute':
      return new Date(Math.floor(ms / MINUTE_MS) * MINUTE_MS);
    case 'hour':
      return new Date(Math.floor(ms / HOUR_MS) * HOUR_MS);
    case 'day':
      return new Date(Math.floor(ms / DAY_MS) * DAY_MS);
    case 'week': {
      const days = Math.floor(ms / DAY_MS);
      const sinceMonday = (((days + FIRST_MONDAY_DAYS) % 7) + 7) % 7;
      return new Date((days - sinceMonday) * DAY_MS);
    }
    case 'month':
    case 'year': {
      if (Number.isNaN(ms)) return new Date(NaN);
      const start = new Date(0);
      start.setUTCFullYear(date.getUTCFullYear(), unit === 'year' ? 0 : date.getUTCMonth(), 1);
      return start;
    }
  }
}
