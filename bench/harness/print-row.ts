import type { RowResult } from './run-case.ts';

const number = (value: number): string =>
  value >= 1000 ? value.toFixed(0) : value >= 100 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);

/** A row as text: variants, then goals, then faults. */
export function formatRow(result: RowResult): string {
  const unit = result.per === 'record' ? 'ns/record' : 'ms/run';
  const lines = ['', `## ${result.row}: ${result.title} (${result.records.toLocaleString('en')} records)`];
  const table = [
    ['variant', `min ${unit}`, 'median', 'cpu', 'peak MiB', 'crossings/record', 'other'],
    ...result.variants.map((variant) => [
      variant.name + (variant.records === result.records ? '' : ` (${variant.records.toLocaleString('en')})`),
      number(variant.time.min),
      number(variant.time.median),
      number(variant.cpu.min),
      variant.peakRssMiB.toFixed(0),
      variant.crossingsPerRecord === undefined ? '' : variant.crossingsPerRecord.toFixed(6),
      Object.entries(variant.figures).map(([name, value]) => `${name} ${number(value)}`).join(', '),
    ]),
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table) lines.push(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd());
  for (const { text, reached, byMedian, byCpu, goal, verdict } of result.judgements) {
    lines.push(`  ${verdict.padEnd(4)} ${text}: ${number(reached)}${byMedian === undefined ? '' : ` (medians ${number(byMedian)}${byCpu === undefined ? '' : `, cpu ${number(byCpu)}`})`}; goal ${goal}`);
  }
  for (const fault of result.faults) lines.push(`  FAULT ${fault}`);
  return lines.join('\n');
}
