/**
 * What `next()` of an iterator gave, once it is sure that it is a result: any other value would be read as a record that is
 * undefined, again and again.
 *
 * @throws TypeError as a `for` loop does.
 */
export function iteratorResult(next: unknown): IteratorResult<unknown> {
  if ((typeof next === 'object' && next !== null) || typeof next === 'function') return next as IteratorResult<unknown>;
  throw new TypeError(`next() of an iterator gave ${typeof next === 'string' ? JSON.stringify(next) : String(next)}, which is no iterator result`);
}
