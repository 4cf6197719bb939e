import { leaf } from '../../compiler/layout/layout.ts';
import type { LayoutRegistry } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';

/** Gives batches of keys that come with no batch of their own, in their order; `from` is the first key of each. */
export function forKeys(registry: LayoutRegistry, keys: readonly unknown[], deliver: (image: Buffer, rows: number, from: number) => void): void {
  let from = 0;
  const writer = new BatchWriter({
    registry,
    keyed: true,
    encoding: 'columns',
    row: leaf('nil'),
    deliver: (image, rows) => {
      deliver(image, rows, from);
      from += rows;
    },
  });
  for (const key of keys) writer.append(null, key);
  writer.flush();
}
