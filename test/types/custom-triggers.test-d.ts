// Triggers that users write; checked by tsc, never run.
import { expectTypeOf } from 'vitest';
import { LocalEnvironment } from '../../ts/environment/local-environment.ts';
import { type CustomTrigger, type TriggerContext, type TriggerDecision, type WindowBounds, type WindowedStream, type WithKey, count, everyCount, tumbling } from '../../ts/index.ts';

interface Reading {
  readonly sensor: string;
  readonly value: number;
}

const windows = new LocalEnvironment('types').fromCollection<Reading>([]).keyBy('sensor').window(tumbling('10s'));
type Windows = WindowedStream<WithKey<string>, Reading>;

// A built-in one, and an object: the record, the window and the state have their types.
expectTypeOf(windows.trigger(everyCount(2))).toEqualTypeOf<Windows>();
expectTypeOf(windows.trigger({ onElement: () => 'fire' })).toEqualTypeOf<Windows>();
const counting = windows.trigger({
  init: () => ({ seen: 0 }),
  onElement(reading, window, ctx) {
    expectTypeOf(reading).toEqualTypeOf<Reading>();
    expectTypeOf(window).toEqualTypeOf<WindowBounds>();
    expectTypeOf(ctx).toEqualTypeOf<TriggerContext<{ seen: number }>>();
    ctx.state = { seen: ctx.state.seen + 1 };
    return ctx.state.seen > 2 ? 'fireAndPurge' : 'continue';
  },
  onEventTime() {
    return 'fire';
  },
  onMerge(merged, _, ctx) {
    ctx.state = { seen: merged.reduce((sum, { state }) => sum + state.seen, 0) };
  },
});
expectTypeOf(counting).toEqualTypeOf<Windows>();
counting.aggregate({ n: count() });

// A class, with the arguments of its constructor; one for other records that these are too.
class Above implements CustomTrigger<{ readonly value: number }> {
  readonly #least: number;
  constructor(least: number) {
    this.#least = least;
  }
  onElement({ value }: { readonly value: number }): TriggerDecision {
    return value > this.#least ? 'fire' : 'continue';
  }
}
expectTypeOf(windows.trigger(Above, 3)).toEqualTypeOf<Windows>();
expectTypeOf(windows.trigger(new Above(3))).toEqualTypeOf<Windows>();
// @ts-expect-error the constructor needs a number
windows.trigger(Above, '3');
// @ts-expect-error and needs it
windows.trigger(Above);
// @ts-expect-error an object has no further arguments
windows.trigger(new Above(3), 3);

// @ts-expect-error no onElement
windows.trigger({ onEventTime: () => 'fire' });
// @ts-expect-error no decision
windows.trigger({ onElement: () => 'often' });
// @ts-expect-error nothing can wait
windows.trigger({ onElement: async () => 'fire' });
// @ts-expect-error the state is a number
windows.trigger({ init: () => 0, onElement: (_, __, ctx) => (ctx.state.seen === 0 ? 'fire' : 'continue') });
class OfTexts implements CustomTrigger<string> {
  onElement(text: string): TriggerDecision {
    return text === '' ? 'fire' : 'continue';
  }
}
// @ts-expect-error of other records
windows.trigger(OfTexts);
