import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ciRun = fileURLToPath(new URL('../../../.ci/run', import.meta.url));
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-ci-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `.ci/run` with an npm that writes what it is told: first for `npm test`, then for the heavy suites. */
function run(normal: { says: string; code?: number }, heavy: { says: string; code?: number }) {
  const npm = `#!/bin/sh
case "$*" in
  *--heavy*) printf '%s\\n' '${heavy.says}'; exit ${heavy.code ?? 0} ;;
  *) printf '%s\\n' '${normal.says}'; exit ${normal.code ?? 0} ;;
esac
`;
  writeFileSync(join(folder, 'npm'), npm);
  chmodSync(join(folder, 'npm'), 0o755);
  const result = spawnSync(ciRun, { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } });
  return { code: result.status, last: result.stdout.trimEnd().split('\n').at(-1), output: result.stdout };
}

describe('.ci/run', () => {
  test('adds up both runs', () => {
    const normal = { says: 'noise\n== summary\n120 passed, 0 failed' };
    expect(run(normal, { says: '7 passed, 0 failed' })).toMatchObject({ code: 0, last: '127 passed, 0 failed' });
  });

  test('fails when either has a failure', () => {
    const bad = { says: '119 passed, 1 failed', code: 1 };
    const good = { says: '7 passed, 0 failed' };
    expect(run(bad, good)).toMatchObject({ code: 1, last: '126 passed, 1 failed' });
    expect(run(good, bad)).toMatchObject({ code: 1, last: '126 passed, 1 failed' });
  });

  test('says again at the end what failed in the first run, and nothing of a run that passed', () => {
    const bad = { says: 'noise\n== failures\n-- vitest\nexpected 1 to be 2\n\n== summary\nFAILED vitest\n\n1 passed, 1 failed', code: 1 };
    const good = { says: '== summary\nok loom\n\n7 passed, 0 failed' };

    const { output } = run(bad, good);

    const behindHeavy = output.slice(output.indexOf('ok loom'));
    expect(behindHeavy).toContain('== failures\n-- vitest\nexpected 1 to be 2\n\n== summary\nFAILED vitest');
    expect(behindHeavy).not.toContain('noise');
    expect(output.split('ok loom')).toHaveLength(2);
  });

  test('fails when a run ends badly although its counts are good', () => {
    expect(run({ says: '5 passed, 0 failed', code: 3 }, { says: '7 passed, 0 failed' })).toMatchObject({
      code: 1,
      last: '12 passed, 1 failed',
    });
  });

  test.each(['Killed', '', '0 passed, 0 failed'])('fails when a run ends with %j', (says) => {
    expect(run({ says: '5 passed, 0 failed' }, { says })).toMatchObject({ code: 1, last: '5 passed, 1 failed' });
  });
});
