import { type EnvironmentConfig, LocalEnvironment, type StateSettings } from '../../../ts/index.ts';

/** Where the tests of a file keep state; a file that wants another place sets it before it imports them. */
export const stateOfTests: { settings: StateSettings } = { settings: 'memory' };

/** So little memory that each key has to leave it at once, for the next batch. */
export const ALWAYS_ON_DISK: StateSettings = { kind: 'disk', memoryBytes: 1 };

export function stateEnvironment(name: string, config: EnvironmentConfig = {}): LocalEnvironment {
  return new LocalEnvironment(name, { state: stateOfTests.settings, ...config });
}
