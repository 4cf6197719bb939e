import { describe, expect, it } from 'vitest';
import { col, columns } from '../../../../ts/functions/expressions/col.ts';
import { cond } from '../../../../ts/functions/expressions/cond.ts';
import { evaluatorOf } from '../../../../ts/functions/expressions/evaluate-expression.ts';
import type { AnyExpression } from '../../../../ts/functions/expressions/expression-types.ts';
import { lit } from '../../../../ts/functions/expressions/lit.ts';

const record = { n: 7, half: 2.5, s: ' Web ', sigma: 'ΑΣ', face: '\u{1F600}', b: true, none: null, d: new Date('2024-02-29T13:45:07.250Z'), bad: new Date(NaN), o: { n: 1 }, list: [1, 2] };

function valueOf(expression: AnyExpression): unknown {
  return evaluatorOf(expression)(record);
}

const day = (text: string): Date => new Date(`${text}Z`);

/** What the documents say, by hand. */
const cases: readonly (readonly [AnyExpression, text: string, value: unknown])[] = [
  [col('n').mul(0.908), 'n * 0.908', 6.356],
  [col('n').add(1).mul(2), '(n + 1) * 2', 16],
  [col('n').sub(col('half').sub(1)), 'n - (half - 1)', 5.5],
  [col('n').div(0), 'n / 0', Infinity],
  [col('n').neg().mod(4), '-n % 4', -3],
  [col('half').round(), 'round(half)', 3],
  [col('half').neg().round(), 'round(-half)', -2],
  [col('gone').add(1), 'gone + 1', null],
  [col('o.n').add(1), 'o.n + 1', 2],
  [col('list.length'), 'list.length', null],
  [col('s.length'), 's.length', null],
  [col('toString'), 'toString', null],
  [col('n').gt(5).and(col('none').gt(1)), 'n > 5 and none > 1', null],
  [col('n').lt(5).and(col('none').gt(1)), 'n < 5 and none > 1', false],
  [col('n').gt(5).or(col('s').add(1).gt(1)), 'n > 5 or s + 1 > 1', true],
  [col('b').not().or(col('none').eq(1)), 'not b or none == 1', null],
  [col('none').isNull().not(), 'not isNull(none)', false],
  [col('none').coalesce(col('gone'), 'x'), "coalesce(none, gone, 'x')", 'x'],
  [cond(col('none').gt(1), 'a', col('n')), "cond(none > 1, 'a', n)", 7],
  [col('n').in([1, 7]), 'n in [1, 7]', true],
  [col('n').in([]), 'n in []', false],
  [col('none').in([1]), 'none in [1]', null],
  [col('n').between(7, 9), 'n between 7 and 9', true],
  [col('n').between(8, col('none')), 'n between 8 and none', false],
  [col('n').between(1, col('none')), 'n between 1 and none', null],
  [col('s').trim().lower(), 'lower(trim(s))', 'web'],
  [col('sigma').lower(), 'lower(sigma)', 'ας'],
  [lit('ß').upper(), "upper('ß')", 'SS'],
  [col('face').length(), 'length(face)', 2],
  [col('face').slice(0, 1), 'slice(face, 0, 1)', '\ud83d'],
  [col('s').concat('-', col('n').toString()), "concat(s, '-', toString(n))", ' Web -7'],
  [col('s').replace(' ', '$&'), "replace(s, ' ', '$&')", '$&Web$&'],
  [col('face').contains('\ud83d'), String.raw`contains(face, '\ud83d')`, true],
  [col('d').weekday(), 'weekday(d)', 4],
  [col('d').month(), 'month(d)', 2],
  [col('d').truncate('week'), "truncate(d, 'week')", day('2024-02-26T00:00:00')],
  [col('d').truncate('hour'), "truncate(d, 'hour')", day('2024-02-29T13:00:00')],
  [col('bad').year(), 'year(bad)', NaN],
  [col('d').gt(new Date(0)), 'd > Date(1970-01-01T00:00:00.000Z)', true],
  [col('d').toString(), 'toString(d)', '2024-02-29T13:45:07.250Z'],
  [lit(' 1e3 ').toNumber(), "toNumber(' 1e3 ')", 1000],
  [lit('2024-02-29T13:45+01:30').toDate(), "toDate('2024-02-29T13:45+01:30')", day('2024-02-29T12:15:00')],
  [lit('2024-02-29').toDate(), "toDate('2024-02-29')", day('2024-02-29T00:00:00')],
  [lit('false').toBoolean(), "toBoolean('false')", false],
  [lit(-0).toString(), 'toString(-0)', '0'],
  [lit("it's").eq('x'), String.raw`'it\'s' == 'x'`, false],
];

describe('an expression', () => {
  it.each(cases.map(([expression, text, value]) => [text, expression, value] as const))('%s', (text, expression, value) => {
    expect(String(expression)).toBe(text);
    expect(valueOf(expression)).toStrictEqual(value);
  });

  it('reads fields by a typed name', () => {
    expect(valueOf(columns<typeof record>()('o.n').mul(3))).toBe(3);
  });
});

/** Values of wrong types: the field, what it is, and the expression. */
const failures: readonly (readonly [AnyExpression, message: string])[] = [
  [col('s').mul(2), 's is a string, and s * 2 needs a number'],
  [col('n').eq('7'), "n is a number, and n == '7' needs a string"],
  [col('o').eq(1), 'o is an object, and o == 1 needs a number'],
  [col('o').eq(col('n')), 'o is an object, and o == n needs a number, string, boolean or date'],
  [col('list').lower(), 'list is an array, and lower(list) needs a string'],
  [col('n').and(true), 'n is a number, and n and true needs a boolean'],
  [cond(col('n'), 1, 2), 'n is a number, and cond(n, 1, 2) needs a boolean'],
  [col('n').year(), 'n is a number, and year(n) needs a date'],
  [col('s').toNumber(), "s is the text ' Web ', of which toNumber(s) can make no number"],
  [lit('2024-02-30').toDate(), "'2024-02-30' is the text '2024-02-30', of which toDate('2024-02-30') can make no date"],
  [lit('yes').toBoolean(), "'yes' is the text 'yes', of which toBoolean('yes') can make no boolean"],
  [col('o').toNumber(), 'o is an object, and toNumber(o) needs a number, string, boolean or date'],
];

it.each(failures.map(([expression, message]) => [message, expression] as const))('fails: %s', (message, expression) => {
  expect(() => valueOf(expression)).toThrow(expect.objectContaining({ code: 'SAGE_EXPRESSION_VALUE', message }));
});

/** What can be seen without a record; types forbid most of it. */
const mistakes: readonly (readonly [() => unknown, message: string, fix: string])[] = [
  [() => col('n').eq(null as never), 'n == null compares with null, which gives null for every record', 'Write n.isNull()'],
  [() => col('n').in([1, null as never]), 'n in [1, null] compares with null', 'Write n.isNull()'],
  [() => col('n').in([1, 'a' as never]), "'a' is a string, and n in [1, 'a'] needs a number", '.toNumber()'],
  [() => (col('n').gt(1) as never as AnyExpression as ReturnType<typeof lit<number>>).mul(2), 'n > 1 is a boolean, and (n > 1) * 2 needs a number', '.toNumber()'],
  [() => col('n').mul(null as never), 'null is a null, and n * null needs a number', 'right type'],
  [() => col('n').mul((() => 1) as never), 'an expression was given', 'col(...)'],
  [() => col('n').mul({} as never), 'an expression was given an empty object', 'col('],
  [() => col(''), 'col was given the string ""', "col('price')"],
  [() => col('a..b'), 'col was given the string "a..b"', "col('price')"],
  [() => col('n').in('abc' as never), 'in was given the string "abc"', '.in('],
  [() => col('s').replace('', 'x'), 'replace was given an empty text', 'concat'],
  [() => col('d').truncate('decade' as never), 'truncate was given the string "decade"', ".truncate('day')"],
];

it.each(mistakes.map(([make, message, fix]) => [message, make, fix] as const))('cannot be written: %s', (message, make, fix) => {
  expect(make).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining(message), help: expect.stringContaining(fix) }));
});
