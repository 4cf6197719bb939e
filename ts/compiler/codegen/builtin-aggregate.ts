import type { BuiltinAggregatorName } from '../../functions/aggregator.ts';

/** Text of one unkeyed built-in aggregate; `state` is an object `{ rows, sum, value }` that outlives a call. */
export interface BuiltinAggregateText {
  readonly locals: readonly (readonly [name: string, init: string, store: string])[];
  readonly add: readonly string[];
  readonly result: string;
}

/**
 * The same semantics as the keyed form in the core (`crates/sage-state`): null, undefined and missing inputs are
 * skipped; the sum of nothing is 0, every other result of nothing is null; NaN propagates.
 */
export function emitBuiltinAggregate(
  name: BuiltinAggregatorName,
  prefix: string,
  input: string,
  state: string,
): BuiltinAggregateText {
  const n = `${prefix}n`;
  const a = `${prefix}a`;
  // The plus says that it is a number: as such it stays in a register.
  const count = [n, `+${state}.count`, `${state}.count = $;`] as const;
  const number = [a, `+${state}.value`, `${state}.value = $;`] as const;
  const value = [a, `${state}.value`, `${state}.value = $;`] as const;
  const present = (body: string): string[] => [`if (typeof ${input} === 'number') { ${body} }`];
  const some = `${input} !== undefined && ${input} !== null`;
  const numbers = { locals: [count, number] };
  const values = { locals: [count, value] };
  switch (name) {
    case 'count':
      return { locals: [count], add: [`${n}++;`], result: n };
    case 'sum':
      return { locals: [number], add: present(`${a} += ${input};`), result: a };
    case 'avg':
      return { ...numbers, add: present(`${a} += ${input}; ${n}++;`), result: `(${n} === 0 ? null : ${a} / ${n})` };
    case 'min':
    case 'max': {
      const better = name === 'min' ? '<' : '>';
      // NaN wins: once it is there nothing compares as better, and it replaces what is there.
      const add = present(`if (${n} === 0 || ${input} ${better} ${a} || ${input} !== ${input}) ${a} = ${input}; ${n}++;`);
      return { ...numbers, add, result: `(${n} === 0 ? null : ${a})` };
    }
    case 'first':
      return { ...values, add: [`if (${some} && ${n}++ === 0) ${a} = ${input};`], result: `(${n} === 0 ? null : ${a})` };
    case 'last':
      return { ...values, add: [`if (${some}) { ${n}++; ${a} = ${input}; }`], result: `(${n} === 0 ? null : ${a})` };
  }
}
