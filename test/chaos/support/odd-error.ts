/** An error as user code throws them: a class of its own, a code, and a cause behind it. */
export class OddError extends Error {
  readonly code = 'E_ODD';

  constructor(message: string) {
    super(message, { cause: new RangeError('what lies behind it') });
  }
}
