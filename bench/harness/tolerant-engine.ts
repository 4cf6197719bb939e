import type { LocalEnvironment } from 'sage-kernel';

import type { Engine } from './engine.ts';

/** Sets `onError('skip')` on every operator of a pipeline that can fail, but for its sources. */
export function skipFailures(env: LocalEnvironment): void {
  const operators = env.pipeline.filter((operator) => operator.canFail && operator.kind !== 'source');
  if (operators.length === 0) throw new Error('no operator can fail, so that there is nothing to measure');
  for (const operator of operators) operator.errorPolicy = 'skip';
}

/** The product with `onError('skip')` behind every operator that can fail. */
export function tolerantEngine(engine: Engine): Engine {
  const LocalEnvironment = new Proxy(engine.LocalEnvironment, {
    construct(target, args: ConstructorParameters<Engine['LocalEnvironment']>) {
      const env = new target(...args);
      const submit = env.submit.bind(env);
      env.submit = ((...options: Parameters<typeof submit>) => {
        skipFailures(env);
        return submit(...options);
      }) as typeof env.submit;
      return env;
    },
  });
  return { ...engine, LocalEnvironment };
}
