import { Pace } from './pace.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { Suspension } from './stage-control.ts';

/** Finishes the row that a generated function could not. */
export async function resumeSuspended(suspension: Suspension, bindings: StageBindings): Promise<void> {
  const { linked, control } = bindings;
  await settleSuspended(suspension, bindings);
  for (const pending of suspension.pending.toReversed()) {
    if (pending[0] === 'children') {
      for (const child of pending[1]) {
        control.time = pending[4];
        const pushed = linked[child]!.push(pending[2], pending[3]);
        if (pushed !== undefined) await pushed;
      }
    } else {
      const [, node, items, from, key, time] = pending;
      const pace = new Pace(bindings.pace.nowMs);
      for (let n = from; n < items.length; n++) {
        if (control.stop) await bindings.room();
        else if (pace.isTurnDue()) await bindings.turn();
        bindings.emitted[node]!++;
        control.time = time;
        const pushed = linked[node]!.emit(items[n], key);
        if (pushed !== undefined) await pushed;
      }
    }
  }
}

/** Awaits the promise at which the row was left, and goes on at its node: with what it gave, or with what becomes of its error. */
async function settleSuspended({ promise, node, value, key, time }: Suspension, { linked, control }: StageBindings): Promise<void> {
  if (node < 0) {
    try {
      await promise;
    } catch (error) {
      throw control.rejected(error, node, value);
    }
    control.checkNotOver();
    return;
  }
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    control.time = time;
    const recovered = linked[node]!.recover(error, value, key, 'rejected');
    if (recovered !== undefined) await recovered;
    control.checkNotOver();
    return;
  }
  control.checkNotOver();
  control.time = time;
  const pushed = linked[node]!.settle(result, value, key);
  if (pushed !== undefined) await pushed;
}
