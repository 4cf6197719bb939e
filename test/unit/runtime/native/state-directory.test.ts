import { afterEach, describe, expect, it, vi } from 'vitest';

import { stateDirectory } from '../../../../ts/runtime/native/state-directory.ts';

describe('the directory for state on disk', () => {
  afterEach(() => void vi.unstubAllEnvs());

  it('is what SAGE_STATE_DIR names', () => {
    vi.stubEnv('SAGE_STATE_DIR', 'somewhere');
    expect(stateDirectory()).toBe('somewhere');
  });

  it('is left to the core where SAGE_STATE_DIR names none', () => {
    for (const none of [undefined, '']) {
      vi.stubEnv('SAGE_STATE_DIR', none);
      expect(stateDirectory()).toBeUndefined();
    }
  });
});
