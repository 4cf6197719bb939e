import { type LocalEnvironment, definePipeline } from '../../../ts/index.ts';

/** What is wrong with an error itself. */
export const ODDITIES = ['an object as its message', 'a symbol as its name', 'a stack that cannot be sent', 'itself as its cause'] as const;
export type Oddity = (typeof ODDITIES)[number];

function oddError(oddity: Oddity): Error {
  const error = new Error('odd');
  const set = (field: keyof Error, value: unknown): Error => Object.defineProperty(error, field, { value });
  switch (oddity) {
    case 'an object as its message':
      return set('message', { reason: 'full' });
    case 'a symbol as its name':
      return set('name', Symbol('odd'));
    case 'a stack that cannot be sent':
      return set('stack', { at: () => 'nowhere' });
    case 'itself as its cause':
      return set('cause', error);
  }
}

/** The last record fails. */
export const oddErrors = definePipeline(import.meta.url, (env: LocalEnvironment, oddity: Oddity) => {
  env
    .fromCollection([1, 2, 3, 4])
    .map((n) => {
      if (n === 4) throw oddError(oddity);
      return n;
    })
    .named('the odd')
    .sink(() => {});
});
