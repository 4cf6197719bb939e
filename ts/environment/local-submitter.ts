import { SageError } from '../common/errors.ts';
import type { JobSubmitter } from '../transformations/stream-environment.ts';

/**
 * How a {@link LocalEnvironment} compiles and starts jobs. Here compiler and runtime are joined to the environment; until
 * they are, both calls say so.
 */
export const localSubmitter: JobSubmitter = {
  explain(): string {
    throw new SageError('SAGE_PLAN_UNSUPPORTED', 'the compiler is not joined to LocalEnvironment yet');
  },
  submit(): Promise<never> {
    return Promise.reject(new SageError('SAGE_PLAN_UNSUPPORTED', 'the runtime is not joined to LocalEnvironment yet'));
  },
};
