import { planError } from '../../common/errors.ts';
import { captureSourceLocation } from '../../common/source-location.ts';
import { describeValue } from '../check-user-function.ts';
import { fieldPathSegments } from '../field-path.ts';
import type { PathOf, PathValue } from '../path-types.ts';
import { Expression } from './expression.ts';
import type { FieldOf, SomeField } from './expression-types.ts';

/** An expression for a field of records of type `T`; what `columns<T>()` gives. */
export type Columns<T> = <P extends PathOf<T> & string>(path: P) => Expression<{ readonly [K in P]: NonNullable<PathValue<T, P>> }, NonNullable<PathValue<T, P>>, P>;

/**
 * The value of a field: `col('price')`, or of one below another, `col('user.age')`. Null where the record does not have it, and where what
 * should have the field is no object. Whether the records of a stream have the field, of a fitting type, is checked where the expression
 * is used; with `col<Order>('price')` or {@link columns} also where it is written.
 *
 * ```ts
 * env.fromCollection([{ user: { age: 30 } }, { user: { age: 50 } }]).filter(col('user.age').lt(40)).print();
 * ```
 */
export function col<P extends string>(path: P): Expression<{ readonly [K in P]: unknown }, FieldOf<P>, P>;
export function col<T extends object>(path: PathOf<T> & string): Expression<unknown, SomeField<NonNullable<PathValue<T, PathOf<T>>>>, PathOf<T> & string>;
export function col(path: string): Expression<unknown, never, never> {
  return column(path, col);
}

/**
 * `col` for records of one type: names of fields are completed and checked as they are written, and so are their types.
 *
 * ```ts
 * interface Order { item: string; price: number }
 * const order = columns<Order>();
 * env.fromCollection<Order>([{ item: 'pen', price: 5 }]).select({ item: order('item'), cents: order('price').mul(100) }).print();
 * ```
 */
export function columns<T>(): Columns<T> {
  const named = (path: string): Expression<unknown, never, never> => column(path, named);
  return named;
}

function column(path: unknown, call: (path: never) => unknown): Expression<unknown, never, never> {
  const segments = typeof path === 'string' ? fieldPathSegments(path) : undefined;
  if (segments === undefined) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `col was given ${describeValue(path)}`,
      expected: "the name of a field, or names joined by dots: 'price', 'user.age'",
      found: describeValue(path),
      fix: "Write col('price'). A field whose name has a dot in it can be read by a function only.",
      declaredAt: captureSourceLocation(call),
    });
  }
  return new Expression({ kind: 'column', path: { form: 'path', path: path as string, segments } });
}
