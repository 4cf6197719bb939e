import { describeValue } from '../functions/check-user-function.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { wrongSetting } from './wrong-setting.ts';

type Check = readonly [holds: (value: unknown) => boolean, expected: string];

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

/** As far as the core can count. */
const MAX_RETAINED = 2 ** 32 - 1;

const TEXT: Check = [(value) => typeof value === 'string' && value !== '', 'the path of a directory'];
const DELAY: Check = [(value) => isNumber(value) && value >= 0, 'milliseconds from 0 on'];
const PERIOD: Check = [(value) => isNumber(value) && value > 0, 'milliseconds above 0'];
const RETAINED: Check = [(value) => isWhole(value) && value >= 1 && value <= MAX_RETAINED, `a whole number from 1 to ${MAX_RETAINED}`];
const COUNT_FROM_0: Check = [(value) => isWhole(value) && value >= 0, 'a whole number from 0 on'];
const FACTOR: Check = [(value) => isNumber(value) && value >= 1, 'a number from 1 on'];
const SHARE: Check = [(value) => isNumber(value) && value >= 0 && value < 1, 'a number from 0 up to 1'];

/** By name: a check, and whether it may be left away. */
type Members = Readonly<Record<string, readonly [check: Check, optional?: 'optional']>>;

const CHECKPOINT: Members = { dir: [TEXT], intervalMs: [PERIOD, 'optional'], minPauseMs: [DELAY, 'optional'], retained: [RETAINED, 'optional'] };
const RESTARTS: Readonly<Record<string, Members>> = {
  fixed: { attempts: [COUNT_FROM_0], delayMs: [DELAY] },
  exponential: { initialMs: [PERIOD], maxMs: [PERIOD], multiplier: [FACTOR, 'optional'], jitter: [SHARE, 'optional'], resetAfterMs: [PERIOD, 'optional'] },
  failureRate: { failures: [COUNT_FROM_0], perMs: [PERIOD], delayMs: [DELAY] },
};

/** @throws SageError SAGE_PLAN_CONFIG */
export function checkCheckpoint(checkpoint: unknown, declaredAt: SourceLocation): void {
  if (checkpoint === undefined) return;
  if (!isObject(checkpoint)) {
    throw wrongSetting('checkpoint', checkpoint, '{ dir, intervalMs?, minPauseMs?, retained? }', declaredAt, "Write checkpoint: { dir: 'checkpoints', intervalMs: 10_000 }, or leave it away.");
  }
  checkMembers('checkpoint', checkpoint, CHECKPOINT, declaredAt);
}

/** @throws SageError SAGE_PLAN_CONFIG */
export function checkRestart(restart: unknown, declaredAt: SourceLocation): void {
  if (restart === undefined || restart === 'none') return;
  const members = isObject(restart) ? RESTARTS[String(restart['kind'])] : undefined;
  if (!isObject(restart) || members === undefined) {
    throw wrongSetting('restart', restart, `'none', or an object whose kind is ${Object.keys(RESTARTS).join(', ')}`, declaredAt, "Write restart: { kind: 'fixed', attempts: 3, delayMs: 1000 }, or leave it away.");
  }
  const { kind: _, ...settings } = restart;
  checkMembers('restart', settings, members, declaredAt);
  const { initialMs, maxMs } = settings;
  if (isNumber(initialMs) && isNumber(maxMs) && maxMs < initialMs) throw wrongSetting('restart.maxMs', maxMs, `at least initialMs, which is ${initialMs}`, declaredAt);
}

function checkMembers(of: string, settings: Readonly<Record<string, unknown>>, members: Members, declaredAt: SourceLocation): void {
  const unknown = Object.keys(settings).find((name) => members[name] === undefined);
  if (unknown !== undefined) throw wrongSetting(`${of}.${unknown}`, settings[unknown], `only ${Object.keys(members).join(', ')}`, declaredAt);
  for (const [name, [[holds, expected], optional]] of Object.entries(members)) {
    const value = settings[name];
    if (value === undefined && optional !== undefined) continue;
    if (!holds(value)) {
      const fix = value === undefined ? `Add ${name} to ${of}: ${expected}.` : `Correct ${of}.${name}, which is ${describeValue(value)}.`;
      throw wrongSetting(`${of}.${name}`, value, expected, declaredAt, fix);
    }
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
