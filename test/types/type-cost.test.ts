import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const project = fileURLToPath(new URL('tsconfig.cost.json', import.meta.url));

// Instantiations do not depend on the machine. Measured when it was written: 23,000 with the library's own.
const BUDGET = 40_000;

test('a chain of 100 operators costs the type checker little', () => {
  const report = execFileSync(process.execPath, [tsc, '-p', project, '--extendedDiagnostics'], { encoding: 'utf8' });
  const instantiations = Number(/^Instantiations:\s+(\d+)/m.exec(report)?.[1]);
  expect(instantiations).toBeGreaterThan(0);
  expect(instantiations).toBeLessThan(BUDGET);
}, 60_000);
