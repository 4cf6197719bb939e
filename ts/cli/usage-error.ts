/** What was typed cannot be done: the exit code is 2, and nothing has run. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
