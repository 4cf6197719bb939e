import { EntryWriter } from '../../../../ts/runtime/checkpoint/entry-writer.ts';
import { BatchReader, LayoutCache } from '../../../../ts/runtime/codec/batch-reader.ts';
import { KeyBytesWriter } from '../../../../ts/runtime/codec/key-bytes.ts';
import { linkDecoder } from '../../../../ts/runtime/codec/linked-decoder.ts';
import type { Core } from '../../../../ts/runtime/native/core.ts';
import { keyIdentity, keyOfIdentity } from '../../../../ts/runtime/stage/key-identity.ts';
import { memoryRegistry } from '../memory-registry.ts';
import { fillGroups } from './saved-instances.ts';

interface Timer {
  readonly time: number;
  readonly id: number;
  readonly number: number;
}

/** As much of the core as slots of keys and timers need, in plain JavaScript. */
export function slotsCore(): Core {
  const registry = memoryRegistry();
  const layouts = new LayoutCache(registry);
  const reader = new BatchReader(layouts);
  const slots = new Map<number, { readonly byKey: Map<unknown, number>; readonly free: number[] }>();
  const timers = new Map<number, Timer[]>();
  let handles = 0;
  let registrations = 0;
  const change = (handle: number, times: Float64Array, ids: Int32Array, adds: boolean): number => {
    times.forEach((time, n) => {
      const list = timers.get(handle)!;
      const at = list.findIndex((timer) => timer.time === time && timer.id === ids[n]);
      if (adds && at < 0) list.push({ time, id: ids[n]!, number: registrations++ });
      if (!adds && at >= 0) list.splice(at, 1);
    });
    return timers.get(handle)!.length;
  };
  const core: Partial<Core> = {
    internLayout: (_job, text) => registry.internLayout(text),
    layoutText: (_job, id) => registry.layoutText(id),
    internShape: (_job, text) => registry.internShape(text),
    shapeText: (_job, id) => registry.shapeText(id),
    slotsCreate: () => {
      slots.set(++handles, { byKey: new Map(), free: [] });
      return handles;
    },
    slotsFor: (handle, image, out) => {
      const { byKey, free } = slots.get(handle)!;
      if (image.length > reader.image.length) reader.resize(image.length);
      reader.image.set(image);
      reader.load();
      const { key } = linkDecoder(reader.known.plan, reader);
      for (let row = 0; row < reader.rows; row++) {
        const identity = keyIdentity(key?.(row));
        if (!byKey.has(identity)) byKey.set(identity, free.pop() ?? byKey.size);
        out[row] = byKey.get(identity)!;
      }
      return byKey.size;
    },
    slotsKeys: (handle, wanted) => {
      const keys = new Map([...slots.get(handle)!.byKey].map(([identity, slot]) => [slot, keyOfIdentity(identity)]));
      const entries = new EntryWriter(fillGroups);
      const canonical = new KeyBytesWriter();
      for (const slot of wanted) {
        if (!keys.has(slot)) continue;
        canonical.reset();
        canonical.write(keys.get(slot));
        entries.put(canonical.bytes(), new Uint8Array(Uint32Array.of(slot).buffer));
      }
      return Uint8Array.from(entries.finish());
    },
    slotsFree: (handle, freed) => {
      const { byKey, free } = slots.get(handle)!;
      for (const [identity, slot] of byKey) if (freed.includes(slot)) byKey.delete(identity);
      free.push(...freed);
      return byKey.size;
    },
    timersCreate: () => {
      timers.set(++handles, []);
      return handles;
    },
    timersRegister: (handle, times, ids) => change(handle, times, ids, true),
    timersCancel: (handle, times, ids) => change(handle, times, ids, false),
    timersHeld: (handle, ids) => {
      ids.forEach((id, n) => (ids[n] = timers.get(handle)!.some((timer) => timer.id === id) ? 1 : 0));
      return timers.get(handle)!.length;
    },
    timersDue: (handle, upToMs, times, ids) => {
      const due = timers
        .get(handle)!
        .filter(({ time }) => time <= upToMs)
        .toSorted((a, b) => a.time - b.time)
        .slice(0, times.length);
      timers.set(handle, timers.get(handle)!.filter((timer) => !due.includes(timer)));
      due.forEach(({ time, id }, n) => {
        times[n] = time;
        ids[n] = id;
      });
      return due.length;
    },
    timersAll: (handle) =>
      Float64Array.from(
        timers
          .get(handle)!
          .toSorted((a, b) => a.time - b.time)
          .flatMap(({ time, id, number }) => [time, id, number]),
      ),
    timersNext: (handle) => Math.min(Number.POSITIVE_INFINITY, ...timers.get(handle)!.map(({ time }) => time)),
    stateDrop: () => undefined,
    keyGroupsFill: (_groups, entries) => fillGroups(entries),
  };
  return core as Core;
}
