import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitExpression } from '../../../../ts/compiler/codegen/expression.ts';
import { SegmentText } from '../../../../ts/compiler/codegen/segment-text.ts';
import { linkExpression, readField } from '../../../../ts/functions/expressions/evaluate-expression.ts';
import type { ExpressionNode } from '../../../../ts/functions/expressions/expression-node.ts';
import { expressionText } from '../../../../ts/functions/expressions/expression-text.ts';
import { bindExpression } from '../../../../ts/runtime/stage/bound-expression.ts';
import { expression, recordOf } from './random-expressions.ts';

/** The generated form, as a stage runs it. */
function generated(node: ExpressionNode): (record: unknown) => unknown {
  const text = new SegmentText(false);
  const { declaration, value } = emitExpression(text, node, 'v', { node: 0, place: 0 }, true);
  const bindings = [...text.bindings].map(([name, bound]) => `const ${name} = ${bound};`).join('\n');
  const make = new Function('R', `${bindings}\nreturn (v) => { ${declaration} return ${value}; };`) as (bound: object) => (record: unknown) => unknown;
  return make({ expressions: [[bindExpression(node)]], readField });
}

/** A value, or the words of an error. */
function outcome(evaluate: (record: unknown) => unknown, record: unknown): unknown {
  try {
    return { value: evaluate(record) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

describe('the generated and the linked form of an expression', () => {
  it('give the same value, or fail in the same words, for every record', () => {
    fc.assert(
      fc.property(expression, fc.array(fc.oneof({ arbitrary: recordOf({ ofJavaScript: true }), weight: 20 }, { arbitrary: fc.constantFrom<unknown>(null, undefined, 'text', 5, [1], new Date(0)), weight: 1 }), { minLength: 5, maxLength: 20 }), (node, records) => {
        const [one, other] = [generated(node), linkExpression(node)];
        for (const record of records) expect(outcome(one, record), expressionText(node)).toStrictEqual(outcome(other, record));
      }),
      { numRuns: 500 },
    );
  });
});
