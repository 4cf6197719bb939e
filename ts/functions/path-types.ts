/** Values that a path ends at: there are no fields below that a user would name. */
type Leaf =
  | string
  | number
  | boolean
  | bigint
  | symbol
  | Date
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ArrayBufferView
  | ((...args: never[]) => unknown);

/** How many dots a typed path may still have; recursive record types need a floor. */
type Fewer = [never, 0, 1, 2, 3];

/** Whether the record type is not known: `unknown` or `any`, or `never` where records of any type are meant. */
type IsOpen<T> = unknown extends T ? true : [T] extends [never] ? true : false;

/**
 * All field paths of a record type: `'user' | 'user.name' | ...`. Any string where the record type is not known.
 */
export type PathOf<T, Depth extends number = 4> = IsOpen<T> extends true
  ? string
  : [Depth] extends [never]
    ? never
    : NonNullable<T> extends Leaf
      ? never
      : {
          [K in keyof NonNullable<T> & string]: K | `${K}.${PathOf<NonNullable<T>[K], Fewer[Depth]>}`;
        }[keyof NonNullable<T> & string];

/** The type of the value at `P`. */
export type PathValue<T, P extends string> = unknown extends T
  ? unknown
  : P extends keyof NonNullable<T>
    ? NonNullable<T>[P]
    : P extends `${infer Head}.${infer Rest}`
      ? Head extends keyof NonNullable<T>
        ? PathValue<NonNullable<T>[Head], Rest>
        : never
      : never;

/** The field paths of a record type whose value is a `V`. */
export type PathTo<T, V> = IsOpen<T> extends true
  ? string
  : { [P in PathOf<T>]: PathValue<T, P> extends V ? P : never }[PathOf<T>];
