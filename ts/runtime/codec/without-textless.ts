import { isRecordLike } from '../../compiler/layout/infer-layout.ts';

/** Fields deeper than this are left to `JSON.stringify`, which also tells of cycles. */
const MAX_DEPTH = 8;

/**
 * The record without the fields that `JSON.stringify` leaves out whatever their neighbours are: functions and symbols. The record
 * itself when it has none. A record of columns has no place for them.
 */
export function withoutTextless(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || !isRecordLike(value, 'json')) return value;
  let isSame = true;
  const copy: [string, unknown][] = [];
  for (const [name, field] of Object.entries(value)) {
    if (typeof field === 'function' || typeof field === 'symbol') {
      isSame = false;
      continue;
    }
    const kept = withoutTextless(field, depth + 1);
    isSame &&= Object.is(kept, field);
    copy.push([name, kept]);
  }
  return isSame ? value : Object.fromEntries(copy);
}
