/** Prints records as a table with aligned columns: numbers to the right, texts to the left. */
export function printTable(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const text = (value: string | number | undefined): string =>
    typeof value === 'number' ? value.toLocaleString('en') : (value ?? '');
  const widths = columns.map((name) => Math.max(name.length, ...rows.map((row) => text(row[name]).length)));
  const right = columns.map((name) => rows.every((row) => /^[\d.,%\s-]*$/.test(text(row[name]))));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, n) => (right[n] ? cell.padStart(widths[n]!) : cell.padEnd(widths[n]!))).join('  ').trimEnd();
  console.log(`\n${title}\n`);
  console.log(line(columns));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const row of rows) console.log(line(columns.map((name) => text(row[name]))));
  console.log();
}
