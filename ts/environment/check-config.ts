import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { checkParallelism } from '../datastream/plan-checks.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { EnvironmentConfig } from '../transformations/environment-config.ts';
import type { DiskStateSettings } from '../transformations/state-settings.ts';
import { checkCheckpoint, checkRestart } from './check-checkpoint-config.ts';
import { wrongSetting } from './wrong-setting.ts';

/** A frozen copy of a config. @throws SageError SAGE_PLAN_CONFIG or SAGE_PLAN_PARALLELISM */
export function checkConfig(config: unknown, declaredAt: SourceLocation): EnvironmentConfig {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw planError('SAGE_PLAN_CONFIG', {
      message: `the config of the environment is ${describeValue(config)}`,
      expected: 'an object with settings',
      fix: "Write new LocalEnvironment('name', { parallelism: 2 }).",
      found: describeValue(config),
      declaredAt,
    });
  }
  const { parallelism, isolated, clock, logger, state, checkpoint, restart, stallTimeoutMs } = config as EnvironmentConfig;
  if (parallelism !== undefined) checkParallelism(parallelism, declaredAt);
  if (isolated !== undefined && typeof isolated !== 'boolean') {
    throw wrongSetting('isolated', isolated, 'true or false', declaredAt);
  }
  if (clock !== undefined && !hasMethods(clock, ['now', 'monotonicMs'])) {
    throw wrongSetting('clock', clock, 'an object with the functions now and monotonicMs', declaredAt);
  }
  if (logger !== undefined && !hasMethods(logger, LOGGER_METHODS)) {
    throw wrongSetting('logger', logger, `a logger with the methods ${LOGGER_METHODS.join(', ')}, such as pino()`, declaredAt);
  }
  if (stallTimeoutMs !== undefined && !(typeof stallTimeoutMs === 'number' && stallTimeoutMs > 0)) {
    throw wrongSetting('stallTimeoutMs', stallTimeoutMs, 'milliseconds above 0, or Infinity', declaredAt);
  }
  checkState(state, declaredAt);
  checkCheckpoint(checkpoint, declaredAt);
  checkRestart(restart, declaredAt);
  return Object.freeze({ ...config });
}

function checkState(state: unknown, declaredAt: SourceLocation): void {
  if (state === undefined || state === 'memory' || state === 'disk') return;
  if (typeof state !== 'object' || state === null || (state as DiskStateSettings).kind !== 'disk') {
    throw wrongSetting('state', state, "'memory', 'disk' or { kind: 'disk', memoryBytes, directory }", declaredAt, "Write state: 'disk', or leave it away for memory.");
  }
  const unknown = Object.keys(state).find((name) => !['kind', 'memoryBytes', 'directory'].includes(name));
  if (unknown !== undefined) throw wrongSetting(`state.${unknown}`, (state as Readonly<Record<string, unknown>>)[unknown], 'only kind, memoryBytes and directory', declaredAt);
  const { memoryBytes, directory } = state as DiskStateSettings;
  if (memoryBytes !== undefined && !(Number.isSafeInteger(memoryBytes) && memoryBytes > 0)) {
    throw wrongSetting('state.memoryBytes', memoryBytes, 'a whole number of bytes above 0, such as 256 * 2 ** 20', declaredAt);
  }
  if (directory !== undefined && (typeof directory !== 'string' || directory === '')) throw wrongSetting('state.directory', directory, 'the path of a directory', declaredAt);
}

const LOGGER_METHODS = ['debug', 'info', 'warn', 'error', 'child'] as const;

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function');
}
