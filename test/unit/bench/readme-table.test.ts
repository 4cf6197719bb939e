import { expect, it } from 'vitest';

import { REFERENCE, readmeWithTable } from '../../../bench/harness/readme-table.ts';
import { readResults } from '../../../bench/harness/results-file.ts';
import { rows } from '../../../bench/pipelines/rows.ts';

it('bench/README.md shows the tracked results, of every row, measured in full', () => {
  const { rows: results } = readResults(REFERENCE);
  expect(Object.keys(results).toSorted()).toEqual([...rows].toSorted());
  expect(Object.values(results).flatMap(({ row, quick, faults }) => (quick ? [`${row} was quick`] : faults))).toEqual([]);
  const { current, wanted } = readmeWithTable();
  expect(current, 'npm run bench -- --table writes it').toBe(wanted);
});
