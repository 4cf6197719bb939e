// Expressions and records as nobody would write them: for properties over the forms that evaluate expressions.
import fc from 'fast-check';
import type { ExpressionNode } from '../../../../ts/functions/expressions/expression-node.ts';
import { DATE_UNITS, type OperationName } from '../../../../ts/functions/expressions/operation.ts';

/** What the records of a property can hold: a file has less than JavaScript. */
export interface RecordSettings {
  /** Also what only JavaScript has: undefined, NaN, dates, bigints, functions. */
  readonly ofJavaScript: boolean;
}

const text = fc.oneof(
  fc.constantFrom('', 'web', 'app', ' Web ', 'ΑΣ', 'ß', 'İ', '12', ' 1e3 ', 'true', '2024-02-29', '2024-02-30', '2024-03-01T12:30:15.5+01:30', 'a$&b', '\u{1F600}x', '\uFEFFw\u00A0'),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.string({ unit: fc.constantFrom('a', 'B', '\ud83d', '\ude00', 'Σ', ' '), maxLength: 5 }),
);
const number = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(0.5, -0.5, 2.5, -2.5, 1e21, 1e-7, 123456789.125, 0.1), fc.double({ noNaN: true, noDefaultInfinity: true }));
const strangeNumber = fc.oneof(number, fc.constantFrom(NaN, -0, Infinity, -Infinity));
const date = fc.oneof(fc.date({ noInvalidDate: true }), fc.constantFrom(new Date(0), new Date(8.64e15), new Date(-8.64e15), new Date(-1)));

/** Records with the fields of random expressions: mostly of their types, sometimes of another, null or missing. */
export function recordOf({ ofJavaScript }: RecordSettings): fc.Arbitrary<Record<string, unknown>> {
  const numbers = ofJavaScript ? strangeNumber : number;
  const anything = fc.oneof(numbers, text, fc.boolean(), fc.constant(null), fc.constantFrom<unknown>([1], { n: 1 }, []), ...(ofJavaScript ? [date, fc.constantFrom<unknown>(undefined, 5n, () => 1, new Date(NaN))] : []));
  const mostly = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof({ arbitrary: usual, weight: 8 }, { arbitrary: fc.constant(null), weight: 2 }, { arbitrary: anything, weight: 1 });
  return fc.record(
    {
      n: mostly(numbers),
      m: mostly(numbers),
      s: mostly(text),
      t: mostly(text),
      b: mostly(fc.boolean()),
      d: mostly(ofJavaScript ? date : text),
      x: anything,
      o: mostly(fc.record({ n: mostly(numbers), s: mostly(text) }, { requiredKeys: [] })),
    },
    { requiredKeys: ['n'] },
  );
}

function column(...paths: readonly string[]): fc.Arbitrary<ExpressionNode> {
  return fc.constantFrom(...paths).map((path) => ({ kind: 'column', path: { form: 'path', path, segments: path.split('.') as [string] } }));
}

function literal(value: fc.Arbitrary<number | string | boolean | Date | null>): fc.Arbitrary<ExpressionNode> {
  return value.map((constant) => ({ kind: 'literal', value: constant }));
}

function call(operation: OperationName, ...operands: readonly fc.Arbitrary<ExpressionNode>[]): fc.Arbitrary<ExpressionNode> {
  return fc.tuple(...operands).map((nodes) => ({ kind: 'call', operation, operands: nodes }));
}

type Kinds = { readonly number: ExpressionNode; readonly text: ExpressionNode; readonly boolean: ExpressionNode; readonly date: ExpressionNode; readonly any: ExpressionNode };

/** Random expressions: mostly of operands that fit, as far as the records do. */
export const expression: fc.Arbitrary<ExpressionNode> = fc.letrec<Kinds>((tie) => {
  const [numbers, texts, booleans, dates, any] = [tie('number'), tie('text'), tie('boolean'), tie('date'), tie('any')];
  const same = (of: (operand: fc.Arbitrary<ExpressionNode>) => fc.Arbitrary<ExpressionNode>): fc.Arbitrary<ExpressionNode> => fc.oneof(of(numbers), of(texts), of(dates), of(booleans));
  const depth = { depthSize: 'small', withCrossShrink: true } as const;
  const oneOf = (operations: readonly OperationName[], ...operands: readonly fc.Arbitrary<ExpressionNode>[]): fc.Arbitrary<ExpressionNode> =>
    fc.constantFrom(...operations).chain((operation) => call(operation, ...operands));
  return {
    number: fc.oneof(
      depth,
      column('n', 'm', 'o.n'),
      literal(strangeNumber),
      oneOf(['add', 'sub', 'mul', 'div', 'mod'], numbers, numbers),
      oneOf(['neg', 'abs', 'floor', 'ceil', 'round'], numbers),
      call('length', texts),
      oneOf(['year', 'month', 'day', 'hour', 'minute', 'second', 'weekday', 'epochMs'], dates),
      call('toNumber', any),
      call('cond', booleans, numbers, numbers),
      call('coalesce', numbers, numbers),
    ),
    text: fc.oneof(
      depth,
      column('s', 't', 'o.s'),
      literal(text),
      oneOf(['lower', 'upper', 'trim'], texts),
      call('concat', texts, texts, texts),
      call('slice', texts, numbers),
      call('slice', texts, literal(fc.integer({ min: -3, max: 3 })), literal(fc.integer({ min: -3, max: 5 }))),
      call('replace', texts, literal(fc.constantFrom('a', 'Σ', '\ud83d', 'we')), literal(fc.constantFrom('', 'b', '$&', '\ude00'))),
      call('toText', any),
      call('cond', booleans, texts, literal(fc.constant(null))),
    ),
    boolean: fc.oneof(
      depth,
      column('b'),
      literal(fc.boolean()),
      same((operand) => oneOf(['eq', 'ne', 'gt', 'ge', 'lt', 'le'], operand, operand)),
      same((operand) => call('between', operand, operand, operand)),
      call('in', numbers, ...[1, 2, NaN].map((constant) => literal(fc.constant(constant)))),
      call('in', texts, ...['web', 'a', '\ud83d'].map((constant) => literal(fc.constant(constant)))),
      call('in', texts, ...Array.from({ length: 10 }, (_, n) => literal(fc.constant(`${'ab'[n % 2]}${n}`)))),
      call('in', dates, literal(fc.constant(new Date(0)))),
      oneOf(['and', 'or'], booleans, booleans),
      oneOf(['not', 'filter'], booleans),
      call('isNull', any),
      oneOf(['startsWith', 'endsWith', 'contains'], texts, texts),
      call('toBoolean', any),
    ),
    date: fc.oneof(
      depth,
      column('d'),
      call('toDate', column('d')),
      call('toDate', numbers),
      literal(date),
      call('truncate', dates, literal(fc.constantFrom(...DATE_UNITS))),
    ),
    any: fc.oneof(depth, column('x', 'gone', 'o', 'n.deep', 's.length', 'x.n'), numbers, texts, booleans, dates, call('coalesce', any, any, any), call('cond', booleans, any, any)),
  };
}).any;
