import { loadCore } from '../../ts/runtime/native/load-core.ts';
import type { MicroSuite } from './micro-suite.ts';

const CALLS = 1000;
const NO_HANDLE = 0xffff_ffff;

const core = loadCore();
let counted = 0;
const plain = (value: number): void => {
  counted += value & 1;
};

function repeat(call: () => void): () => number {
  return () => {
    for (let n = 0; n < CALLS; n++) call();
    return counted;
  };
}

/** What a call of the core costs before it does anything: the reason why there is one a batch. */
export const suites: readonly MicroSuite[] = [
  {
    name: 'one call',
    per: CALLS,
    cases: {
      'core, one number': repeat(() => core.stateDrop(NO_HANDLE)),
      'JavaScript, one number': repeat(() => plain(NO_HANDLE)),
    },
    check: () => undefined,
  },
];
