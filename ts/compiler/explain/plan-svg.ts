import { shortenText, textColumns } from '../../common/text-columns.ts';
import type { PlanDescription, PlanStage, PlanStageOperator } from '../../transformations/plan-description.ts';
import { type Box, type BoxSize, layOutPlan, type Point } from './plan-layout.ts';
import { exchangeLabel, stageLabel } from './plan-mermaid.ts';

/** Of the monospaced font, rather too wide than too narrow: boxes are measured in characters. */
const CHARACTER_WIDTH = 7.4;
const LINE_HEIGHT = 18;
const PADDING = 12;
/** Longer names end in an ellipsis; the whole name is the tooltip. */
const MAX_COLUMNS = 56;
/** In characters. */
const BRANCH_INDENT = 2;

/** Both schemes in one file: the viewer's own setting decides. */
const STYLE = `
  svg { color-scheme: light dark; font: 12px ui-monospace, Menlo, Consolas, monospace; --ink: #1c2230; --faint: #5a6475; --box: #f5f7fa; --edge: #8a94a6; --paper: #ffffff }
  @media (prefers-color-scheme: dark) { svg { --ink: #e6e9ef; --faint: #a3adbd; --box: #232936; --edge: #7b8699; --paper: #161a22 } }
  .paper { fill: var(--paper) } .stage { fill: var(--box); stroke: var(--edge) } .workers { stroke-width: 2 } .native { stroke-dasharray: 5 3 }
  text { fill: var(--ink) } .faint { fill: var(--faint) } .label { paint-order: stroke; stroke: var(--paper); stroke-width: 4 } .exchange { fill: none; stroke: var(--edge); stroke-width: 1.5 } .feedback { stroke-dasharray: 2 4 } .arrow { fill: var(--edge) }`;

/**
 * The physical plan as an SVG picture, for light and dark backgrounds: stages are boxes with their operators, parallelism
 * and placement (thick: worker threads, dashed: native threads); exchanges are arrows with their partitioning.
 */
export function planSvg(plan: PlanDescription): string {
  const texts = plan.stages.map((stage) => stageTexts(plan, stage));
  const { boxes, routes, width, height } = layOutPlan(plan, (stage) => sizeOf(texts[stage]!));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}">`,
    `<title>${escape(`Plan of ${plan.name}`)}</title>`,
    `<style>${STYLE}\n</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="arrow" d="M0 0 8 4 0 8z"/></marker></defs>',
    '<rect class="paper" width="100%" height="100%"/>',
    ...plan.stages.flatMap((stage) => drawStage(stage, texts[stage.id]!, boxes[stage.id]!)),
    ...plan.exchanges.flatMap((exchange, n) => drawExchange(exchangeLabel(exchange), exchange.reason, routes[n]!, exchange.feedback !== null)),
    '</svg>',
  ].join('\n');
}

interface Line {
  readonly text: string;
  /** How far in it stands, in characters. */
  readonly indent: number;
  readonly tooltip: string;
}

/** The first line is the stage itself. An arrow stands before operators that take the records of the one above, further in where it branches. */
function stageTexts({ operators }: PlanDescription, stage: PlanStage): Line[] {
  const byId = new Map(operators.map((operator) => [operator.id, operator]));
  const lines: Line[] = [{ text: stageLabel(stage), indent: 0, tooltip: stage.reason }];
  const shown = new Set<number>();
  const show = ({ operator, native }: PlanStageOperator, lead: string, indent: number): void => {
    if (shown.has(operator)) return;
    shown.add(operator);
    const { kind, name, work, parallelismReason } = byId.get(operator)!;
    const text = `${kind} '${name}'${native ? ' (native)' : ''}`;
    lines.push({ text: shortenText(`${lead}${text}`, MAX_COLUMNS), indent, tooltip: [text, work, parallelismReason].filter((part) => part !== '').join('\n') });
    const next = stage.operators.filter(({ inputs }) => inputs.includes(operator));
    for (const child of next) show(child, '→ ', next.length > 1 ? indent + BRANCH_INDENT : indent);
  };
  for (const root of stage.operators.filter(({ inputs }) => inputs.length === 0)) show(root, '', 0);
  return lines;
}

function sizeOf(lines: readonly Line[]): BoxSize {
  const characters = Math.max(...lines.map(({ text, indent }) => indent + textColumns(text)));
  return { width: characters * CHARACTER_WIDTH + 2 * PADDING, height: lines.length * LINE_HEIGHT + 2 * PADDING };
}

function drawStage({ placement }: PlanStage, lines: readonly Line[], { x, y, width, height }: Box): string[] {
  return [
    `<rect class="stage ${placement}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="6"/>`,
    ...lines.map(({ text, indent, tooltip }, n) => {
      const place = `x="${round(x + PADDING + indent * CHARACTER_WIDTH)}" y="${round(y + PADDING + (n + 0.75) * LINE_HEIGHT)}"`;
      return `<text${n === 0 ? ' class="faint"' : ''} ${place}>${escape(text)}<title>${escape(tooltip)}</title></text>`;
    }),
  ];
}

function drawExchange(label: string, reason: string, route: readonly Point[], isFeedback: boolean): string[] {
  const [first, ...others] = route as [Point, ...Point[]];
  let from = first;
  let path = `M${round(first.x)} ${round(first.y)}`;
  for (const to of others) {
    const middle = round((from.y + to.y) / 2);
    path += ` C${round(from.x)} ${middle} ${round(to.x)} ${middle} ${round(to.x)} ${round(to.y)}`;
    from = to;
  }
  const [end, before] = [route.at(-1)!, route.at(-2)!];
  const place = `x="${round((end.x + before.x) / 2 + 8)}" y="${round((end.y + before.y) / 2 + 4)}"`;
  return [`<path class="exchange${isFeedback ? ' feedback' : ''}" marker-end="url(#arrow)" d="${path}"/>`, `<text class="faint label" ${place}>${escape(label)}<title>${escape(reason)}</title></text>`];
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Also without the control characters that no XML may hold. */
function escape(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/(?![\t\n])[\p{Cc}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
