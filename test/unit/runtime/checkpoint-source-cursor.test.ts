import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { CollectionCursor, CountedCursor, type CountedSource, PositionCursor, type SourceCursor, type SourceProgress } from '../../../ts/runtime/checkpoint/source-cursor.ts';
import type { SavedPart } from '../../../ts/runtime/checkpoint/state-part.ts';
import { PROPERTY_RUNS } from '../../property-runs.ts';

function saved(cursors: readonly SourceCursor[], progress: (instance: number) => SourceProgress): SavedPart[] {
  return cursors.map((cursor, instance) => ({ instance, parallelism: cursors.length, bytes: Buffer.from(cursor.save(progress(instance))) }));
}

const at = (progress: Partial<SourceProgress>): SourceProgress => ({ next: 0, records: 0, ended: false, ...progress });

describe('the position in an array', () => {
  const cursors = (items: readonly unknown[], instances: number): CollectionCursor[] => Array.from({ length: instances }, (_, instance) => new CollectionCursor(items, instance, instances));
  /** What an instance gives of its next rows. */
  const give = (cursor: CollectionCursor, rows: number): unknown[] => cursor.rows.slice(cursor.start, Math.min(cursor.end, cursor.start + rows));

  it('given any instances that stop anywhere, when others go on, again and again, then each record is given exactly once', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.array(fc.record({ instances: fc.integer({ min: 1, max: 5 }), rows: fc.array(fc.nat(9), { minLength: 5, maxLength: 5 }) }), { minLength: 1, maxLength: 5 }), (length, runs) => {
        const items = Array.from({ length }, (_, n) => n);
        const given: unknown[] = [];
        let parts: SavedPart[] = [];
        for (const { instances, rows } of runs) {
          const now = cursors(items, instances);
          if (parts.length > 0) for (const cursor of now) cursor.restore(parts);
          parts = saved(now, (instance) => {
            const cursor = now[instance]!;
            const records = give(cursor, rows[instance]!);
            given.push(...records);
            const next = cursor.start + records.length;
            return at({ next, ended: next === cursor.end });
          });
        }
        for (const cursor of cursors(items, 2)) {
          cursor.restore(parts);
          given.push(...give(cursor, length));
        }
        expect(given.toSorted((a, b) => (a as number) - (b as number))).toEqual(items);
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('given an array that has changed, when it is to go on, then it is an error that says so', () => {
    const parts = saved(cursors([1, 2, 3], 1), () => at({ next: 1 }));
    expect(() => new CollectionCursor([1, 2], 0, 1).restore(parts)).toThrow(/has 2 records, and had 3/);
  });

  it('given one that was at its end, when it goes on, then it gives nothing', () => {
    const cursor = new CollectionCursor([1, 2, 3], 0, 1);
    cursor.restore(saved(cursors([1, 2, 3], 1), () => at({ next: 3, ended: true })));
    expect([cursor.hasEnded, give(cursor, 9)]).toEqual([true, []]);
  });
});

describe('the count of records', () => {
  const counting = (given: readonly ('record' | 'nothing' | 'end')[], isAsync = false): { readonly source: CountedSource; readonly left: () => number; readonly rests: () => number } => {
    const left = [...given];
    let rests = 0;
    const pull = (): 'record' | 'nothing' | 'end' => left.shift() ?? 'end';
    return {
      source: { pull: isAsync ? () => Promise.resolve(pull()) : pull, rest: () => Promise.resolve(void rests++), turn: () => Promise.resolve() },
      left: () => left.length,
      rests: () => rests,
    };
  };

  it.each([false, true])('given two records before the checkpoint, when it goes on, then two are skipped (promises: %s)', async (isAsync) => {
    const parts = saved([new CountedCursor(counting([]).source, 0, 1)], () => at({ records: 2 }));
    const { source, left, rests } = counting(['record', 'nothing', 'record', 'record'], isAsync);
    const cursor = new CountedCursor(source, 0, 1);
    cursor.restore(parts);
    await cursor.catchUp();
    expect([left(), rests()]).toEqual([1, 1]);
    // and what is saved next counts from the beginning
    const again = new CountedCursor(source, 0, 1);
    again.restore(saved([cursor], () => at({ records: 1 })));
    await expect(again.catchUp()).rejects.toThrow(/has given 3 records before the checkpoint, and gave only 1/);
  });

  it('given one that was at its end, when it goes on and is saved before its turn, then it is still at its end', async () => {
    const { source, left } = counting(['record']);
    const cursor = new CountedCursor(source, 0, 1);
    cursor.restore(saved([new CountedCursor(source, 0, 1)], () => at({ records: 1, ended: true })));
    const again = new CountedCursor(source, 0, 1);
    again.restore(saved([cursor], () => at({})));
    await again.catchUp();
    expect([cursor.hasEnded, again.hasEnded, left()]).toEqual([true, true, 1]);
  });

  it('given another number of instances, when it is to go on, then it is an error that names the one before', () => {
    const parts = saved([0, 1].map((instance) => new CountedCursor(counting([]).source, instance, 2)), () => at({ records: 2 }));
    expect(() => new CountedCursor(counting([]).source, 0, 3).restore(parts)).toThrow(/had 2 instances when the checkpoint was written, and has 3 now/);
  });
});

describe('the position that a source says', () => {
  class Source {
    at: unknown = 0;
    position(): unknown {
      return this.at;
    }
    seek(position: unknown): void {
      this.at = position;
    }
  }
  const ONE = { instance: 0, instances: 1 };
  const nothing: CountedSource = { pull: () => 'end', rest: async () => {}, turn: async () => {} };
  const restored = async (part: Uint8Array): Promise<unknown> => {
    const source = new Source();
    const cursor = new PositionCursor(source, nothing, ONE);
    cursor.restore([{ instance: 0, parallelism: 1, bytes: Buffer.from(part) }]);
    await cursor.seek();
    return source.at;
  };

  it('given a record that is awaited, when the source is further already, then it is saved where it was before', async () => {
    const source = new Source();
    const cursor = new PositionCursor(source, nothing, ONE);
    source.at = 5;
    cursor.asked();
    source.at = 6;
    const pending = Uint8Array.from(cursor.save(at({})));
    cursor.answered();
    expect([await restored(pending), await restored(cursor.save(at({})))]).toEqual([5, 6]);
  });

  it('given a position that is an object, when the source changes it while a record is awaited, then what it was is saved', async () => {
    const source = new Source();
    const offsets = new Map([['a', 1]]);
    source.at = offsets;
    const cursor = new PositionCursor(source, nothing, ONE);
    cursor.asked();
    offsets.set('a', 2);
    expect(await restored(cursor.save(at({})))).toEqual(new Map([['a', 1]]));
  });

  it('given a position that is an object of a class, when it is to be saved, then it is refused, as it would come back as another one', () => {
    class Offset {
      at = 1;
    }
    const source = new Source();
    source.at = { first: new Offset() };
    const refused = { code: 'SAGE_STATE_VALUE', message: 'position() gave an object of the class Offset, which cannot be in a checkpoint' };
    expect(() => new PositionCursor(source, nothing, ONE).save(at({}))).toThrow(expect.objectContaining(refused));
    expect(() => new PositionCursor(source, nothing, ONE).asked()).toThrow(expect.objectContaining(refused));
  });

  it('given marks only, when a record is awaited, then it goes on at the last mark without the records behind it', async () => {
    const source = new Source();
    let nowMs = 0;
    const cursor = new PositionCursor(source, nothing, { ...ONE, nowMs: () => nowMs });
    source.at = 100;
    cursor.mark(0);
    source.at = 130;
    cursor.mark(30); // too early for another one
    expect(await restored(cursor.save(at({ records: 30 })))).toBe(130);
    cursor.awaited();
    source.at = 131;
    const pending = Uint8Array.from(cursor.save(at({ records: 30 })));
    cursor.answered();
    expect(await restored(cursor.save(at({ records: 31 })))).toBe(131);

    const again = new Source();
    const pulls: number[] = [];
    const other = new PositionCursor(again, { ...nothing, pull: () => (pulls.push(pulls.length), 'record') }, ONE);
    other.restore([{ instance: 0, parallelism: 1, bytes: Buffer.from(pending) }]);
    await other.seek();
    await other.catchUp();
    expect([again.at, pulls.length]).toEqual([100, 30]);

    nowMs = 10;
    cursor.mark(31);
    cursor.awaited();
    expect(await restored(cursor.save(at({ records: 31 })))).toBe(131);
  });

  it('given marks and a position() that throws, when nobody asks for it, then nothing happens; else it is what save throws', () => {
    const source = new Source();
    vi.spyOn(source, 'position').mockImplementation(() => { throw new Error('not now'); });
    const cursor = new PositionCursor(source, nothing, { ...ONE, nowMs: () => 0 });
    cursor.mark(0);
    cursor.awaited();
    expect(() => cursor.save(at({}))).toThrow('not now');
  });

  it('given a source that ends before the records behind a mark have come again, when it catches up, then it is an error', async () => {
    const source = new Source();
    const cursor = new PositionCursor(source, nothing, { ...ONE, nowMs: () => 0 });
    cursor.mark(0);
    cursor.awaited();
    const part = Uint8Array.from(cursor.save(at({ records: 3 })));
    const other = new PositionCursor(new Source(), nothing, ONE);
    other.restore([{ instance: 0, parallelism: 1, bytes: Buffer.from(part) }]);
    await expect(other.catchUp()).rejects.toMatchObject({ code: 'SAGE_CHECKPOINT_SOURCE' });
  });
});
