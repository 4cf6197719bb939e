import type { Judgement, VariantFigures } from './judge-goals.ts';
import type { RowResult } from './run-case.ts';
import type { ResultsFile } from './results-file.ts';

/** The measured rows as Markdown: what was to be reached and what was, then every figure. */
export function formatTable({ rows }: ResultsFile, order: readonly string[]): string {
  const measured = order.flatMap((row) => rows[row] ?? []);
  const machines = new Set(measured.map(({ machine }) => `Node ${machine.node}, V8 ${machine.v8}, ${machine.os}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`));
  const days = new Set(measured.map(({ machine }) => machine.takenAt.slice(0, 10)));
  return [
    `Measured on ${[...days].join(', ')}: ${[...machines].join('; ')}.`,
    '',
    '| row | ratio | goal | reached | by medians | by processor time | |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...measured.flatMap((result) => result.judgements.map((judgement) => judgementLine(result.row, judgement))),
    '',
    '| row | variant | least | median | processor | peak MiB | crossings a record | |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...measured.flatMap((result) => result.variants.map((variant) => variantLine(result, variant))),
  ].join('\n');
}

function judgementLine(row: string, { text, goal, reached, byMedian, byCpu, verdict }: Judgement): string {
  const word = verdict === 'MISS' ? '**missed**' : verdict === 'ok' ? 'reached' : '';
  return `| ${row} | ${text} | ${goal} | ${figure(reached)} | ${figure(byMedian)} | ${figure(byCpu)} | ${word} |`;
}

function variantLine({ row, per, records }: RowResult, variant: VariantFigures): string {
  const unit = per === 'record' ? 'ns' : 'ms';
  const others = Object.entries(variant.figures).map(([name, value]) => `${name}: ${figure(value)}`);
  if (variant.records !== records) others.unshift(`${variant.records.toLocaleString('en')} records`);
  const crossings = variant.crossingsPerRecord === undefined || per === 'run' ? '' : variant.crossingsPerRecord.toFixed(5);
  const times = [variant.time.min, variant.time.median, variant.cpu.min].map((time) => `${figure(time)} ${unit}`);
  return `| ${row} | ${variant.name} | ${times.join(' | ')} | ${variant.peakRssMiB.toFixed(0)} | ${crossings} | ${others.join('; ')} |`;
}

function figure(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
