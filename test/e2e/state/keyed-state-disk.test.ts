import { expect, it } from 'vitest';

import { ALWAYS_ON_DISK, stateEnvironment, stateOfTests } from './state-environment.ts';

// Before the tests are read: all that they expect of state in memory holds for state on disk.
stateOfTests.settings = ALWAYS_ON_DISK;
await import('./keyed-state.test.ts');

it('state is on disk here', () => {
  expect(stateEnvironment('any').config.state).toEqual(ALWAYS_ON_DISK);
});
