import type { Pushed } from './linked-node.ts';
import type { StageControl } from './stage-control.ts';

/** Gives records below whose event time is another one than that of the record at hand, which gets its own back behind that. */
export function withTime(control: StageControl, time: number | undefined, give: () => Pushed): Pushed {
  const before = control.time;
  control.time = time;
  const pushed = give();
  if (pushed === undefined) {
    control.time = before;
    return undefined;
  }
  return pushed.then(() => {
    control.time = before;
  });
}
