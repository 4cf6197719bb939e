import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { compile } from '../../../ts/compiler/compile.ts';
import { describePlan } from '../../../ts/compiler/explain/describe-plan.ts';
import { type Box, layOutPlan, type Point } from '../../../ts/compiler/explain/plan-layout.ts';
import { planMermaid } from '../../../ts/compiler/explain/plan-mermaid.ts';
import { planSvg } from '../../../ts/compiler/explain/plan-svg.ts';
import type { PlanDescription } from '../../../ts/transformations/plan-description.ts';
import { randomPipeline } from './random-pipeline.ts';

/** Names with everything that the pictures must not take for their own. */
const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a"b', "it's", '<b>&amp;</b>', '#35;', ']]>', 'end', '数据', '\u0000\u001B[2J', '\uD800'));

/** The plan of a random pipeline, with random names. */
const plan = fc
  .record({ build: randomPipeline, names: fc.array(name, { maxLength: 8 }), parallelism: fc.integer({ min: 1, max: 4 }), importable: fc.boolean(), cores: fc.constantFrom(1, 4) })
  .map(({ build, names, parallelism, importable, cores }): PlanDescription => {
    const described = describePlan(compile(build.pipeline, { parallelism }, { importable, cores }), names[0] ?? 'plan');
    return { ...described, operators: described.operators.map((operator, n) => (n in names ? { ...operator, name: names[n]! } : operator)) };
  });

/** By more than what rounding may be off. */
const inside = ({ x, y }: Point, { x: left, y: top, width, height }: Box): boolean => x > left + 0.01 && x < left + width - 0.01 && y > top + 0.01 && y < top + height - 0.01;
const overlap = (a: Box, b: Box): boolean => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Reads XML as strictly as its rules ask, as far as the pictures use them. @throws TypeError at the first mistake. */
function readXml(text: string): { readonly elements: readonly string[]; readonly texts: readonly string[] } {
  const open: string[] = [];
  const elements: string[] = [];
  const texts: string[] = [];
  const attribute = String.raw`\s+[\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*"`;
  const token = new RegExp(String.raw`<(/?)([a-zA-Z]+)((?:${attribute})*)\s*(/?)>|([^<&>]|&(?:amp|lt|gt|quot);)+`, 'gy');
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new TypeError(`no XML at ${JSON.stringify(text.slice(at, at + 60))}`);
    const [whole, closes, element, , closed] = match;
    if (/(?![\t\n\r])\p{Cc}|\p{Cs}|[\uFFFE\uFFFF]/u.test(whole)) throw new TypeError(`a character that XML forbids in ${JSON.stringify(whole)}`);
    if (element === undefined) texts.push(whole.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'));
    else if (closes === '/') {
      if (open.pop() !== element) throw new TypeError(`</${element}> closes something else`);
    } else {
      elements.push(element);
      if (closed !== '/') open.push(element);
    }
  }
  if (open.length > 0) throw new TypeError(`${open.join(', ')} is not closed`);
  return { elements, texts };
}

describe('the plan of any pipeline as data', () => {
  test('holds every operator in a stage, and its exchanges lead from operators of one to operators of a later one', () => {
    fc.assert(
      fc.property(plan, ({ operators, stages, exchanges, tasks }) => {
        const placed = new Set(stages.flatMap((stage) => stage.operators.map(({ operator }) => operator)));
        expect([...placed].toSorted((a, b) => a - b)).toEqual(operators.map(({ id }) => id).toSorted((a, b) => a - b));
        for (const { from, to } of exchanges) {
          expect(stages[from.stage]!.operators.map(({ operator }) => operator)).toContain(from.operator);
          expect(stages[to.stage]!.operators.map(({ operator }) => operator)).toEqual(expect.arrayContaining([...to.operators]));
          expect(from.stage).toBeLessThan(to.stage);
        }
        expect(tasks).toBe(stages.reduce((sum, { parallelism }) => sum + parallelism, 0));
        // Every input of an operator is a call within a stage, or an exchange
        for (const { id, inputs } of operators) {
          const given = stages.flatMap((stage) => stage.operators.filter(({ operator }) => operator === id).flatMap((one) => one.inputs));
          const exchanged = exchanges.filter(({ to }) => to.operators.includes(id)).map(({ from }) => from.operator);
          expect([...new Set([...given, ...exchanged])].toSorted((a, b) => a - b)).toEqual([...new Set(inputs)].toSorted((a, b) => a - b));
        }
      }),
    );
  });
});

describe('the picture of any pipeline', () => {
  test('has no two boxes on each other, and no exchange through a box', () => {
    fc.assert(
      fc.property(plan, fc.array(fc.integer({ min: 40, max: 400 }), { minLength: 1 }), (described, sizes) => {
        const size = (n: number): number => sizes[n % sizes.length]!;
        const { boxes, routes, width, height } = layOutPlan(described, (stage) => ({ width: size(stage), height: size(stage + 1) }));
        for (const [n, box] of boxes.entries()) {
          for (const other of boxes.slice(n + 1)) expect(overlap(box, other)).toBe(false);
          expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height).toBe(true);
        }
        for (const route of routes) {
          for (const [n, to] of route.slice(1).entries()) {
            const from = route[n]!;
            // The curve that is drawn: it leaves and arrives vertically
            for (let t = 0.02; t < 1; t += 0.02) {
              const middle = (from.y + to.y) / 2;
              const bezier = (a: number, b: number, c: number, d: number): number => a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t ** 2 * (1 - t) + d * t ** 3;
              const point = { x: bezier(from.x, from.x, to.x, to.x), y: bezier(from.y, middle, middle, to.y) };
              expect(boxes.filter((box) => inside(point, box))).toEqual([]);
            }
          }
        }
      }),
    );
  });

  test('as SVG is XML, with a box for each stage, a line for each operator and exchange, whatever the names are', () => {
    fc.assert(
      fc.property(plan, (described) => {
        const { elements, texts } = readXml(planSvg(described));
        const count = (element: string): number => elements.filter((one) => one === element).length;
        const lines = described.stages.reduce((sum, { operators }) => sum + 1 + operators.length, 0);
        expect(count('rect')).toBe(described.stages.length + 1);
        expect(count('path')).toBe(described.exchanges.length + 1);
        expect(count('text')).toBe(lines + described.exchanges.length);
        for (const { name, kind } of described.operators) {
          if (!/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/u.test(name)) expect(texts.some((text) => text.startsWith(`${kind} '${name}'`))).toBe(true);
        }
      }),
    );
  });

  test('as SVG is read by what is as strict as XML: the reader finds mistakes', () => {
    for (const broken of ['<a>', '<a></b>', '<a x="<"/>', '<a>&nbsp;</a>', '<a x=1/>', '<a>\u0001</a>', '<a/>>']) expect(() => readXml(broken), broken).toThrow(TypeError);
    expect(readXml('<a x="1">&lt;<b/></a>')).toEqual({ elements: ['a', 'b'], texts: ['<'] });
  });

  test('for Mermaid has lines of six kinds and nothing else, whatever the names are', () => {
    const text = String.raw`"(?:[\p{L}\p{N} '.,:()/=!?_-]|#\d+;|<br/>)*"`;
    const kinds = [String.raw`flowchart TB`, String.raw`  subgraph stage\d+\[${text}\]`, String.raw`    s\d+o\d+\[${text}\]`, String.raw`    s\d+o\d+ --> s\d+o\d+`, String.raw`  end`, String.raw`  s\d+o\d+ ==>\|${text}\| s\d+o\d+`];
    const line = new RegExp(`^(?:${kinds.join('|')})$`, 'u');
    fc.assert(
      fc.property(plan, (described) => {
        const lines = planMermaid(described).split('\n');
        expect(lines.filter((one) => !line.test(one))).toEqual([]);
        // What Mermaid makes of the codes is the name again
        const nodes = lines.filter((one) => /^ {4}s\d+o\d+\[/.test(one)).map((one) => one.replaceAll(/#(\d+);/g, (_code, point: string) => String.fromCodePoint(Number(point))));
        for (const { name, kind } of described.operators) expect(nodes.some((one) => one.includes(`["${kind} '${name}'`))).toBe(true);
      }),
    );
  });
});
