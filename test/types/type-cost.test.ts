import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

// Instantiations do not depend on the machine. Measured when it was written: 7,500.
const BUDGET = 20_000;

function instantiations(config: string): number {
  const project = fileURLToPath(new URL(config, import.meta.url));
  const report = execFileSync(process.execPath, [tsc, '-p', project, '--extendedDiagnostics'], { encoding: 'utf8' });
  return Number(/^Instantiations:\s+(\d+)/m.exec(report)?.[1]);
}

test('a chain of 100 operators costs the type checker little', () => {
  // The library's own types are checked with it, as here it is there as source; a user gets declarations.
  const own = instantiations('tsconfig.no-chain.json');
  const withChain = instantiations('tsconfig.cost.json');
  expect(own).toBeGreaterThan(0);
  expect(withChain - own).toBeGreaterThan(100);
  expect(withChain - own).toBeLessThan(BUDGET);
}, 180_000);
