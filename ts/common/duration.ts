import { SageError } from './errors.ts';

/** Units of a duration, in milliseconds. */
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A span of time: milliseconds as a number, or a text such as `'500ms'`, `'10s'`, `'1.5h'`. */
export type Duration = number | `${number}${keyof typeof UNIT_MS}`;

const FORM = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)$/;

/**
 * Milliseconds of a {@link Duration}.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT when the text has another form, or the number is negative or not finite.
 */
export function parseDuration(duration: Duration): number {
  if (typeof duration === 'number') {
    if (Number.isFinite(duration) && duration >= 0) return duration;
  } else if (typeof duration === 'string') {
    const match = FORM.exec((duration as string).trim());
    if (match !== null) return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  }
  throw new SageError('SAGE_PLAN_ARGUMENT', `${JSON.stringify(duration)} is not a duration`, {
    help: "Give milliseconds as a number, or a text such as '500ms', '10s', '5min', '2h' or '1d'.",
  });
}
