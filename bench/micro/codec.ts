import { deserialize, serialize } from 'node:v8';

import { Packr } from 'msgpackr';

import { emitDecoder } from '../../ts/compiler/codegen/decoder.ts';
import { BatchReader, LayoutCache, type LayoutRegistry } from '../../ts/runtime/codec/batch-reader.ts';
import { BatchWriter } from '../../ts/runtime/codec/batch-writer.ts';
import { makeMixed } from '../pipelines/mixed-record.ts';
import { makeOrders } from '../pipelines/orders.ts';
import type { MicroSuite } from './micro-suite.ts';

const ROWS = 1024;

/** A job's registry without a job: ids are places in a list. */
function localRegistry(): LayoutRegistry {
  const intern = (list: string[]) => (text: string) => (list.includes(text) ? list.indexOf(text) : list.push(text) - 1);
  const [layouts, shapes]: [string[], string[]] = [[], []];
  return { internLayout: intern(layouts), layoutText: (id) => layouts[id]!, internShape: intern(shapes), shapeText: (id) => shapes[id]! };
}

/** Decodes a loaded batch into an array, with the statements that a segment has in its loop. */
function makeDecoder<T>(reader: BatchReader): (into: T[]) => void {
  const text = emitDecoder(reader.known.plan, reader.missing);
  const decode = new Function(
    'source',
    'into',
    `const B = source, F64 = B.F64, I32 = B.I32, U32 = B.U32, U8 = B.U8, start = 0;
    ${text.prelude.join('\n')}
    for (let i = 0; i < B.rows; i++) { ${text.row.join('\n')} into.push(${text.record}); }`,
  ) as (source: BatchReader, into: T[]) => void;
  return (into) => decode(reader, into);
}

/** Encodes a batch, copies the image as the core does, decodes it into an array. */
function columnsRoundTrip<T>(records: readonly T[]): () => T[] {
  const registry = localRegistry();
  const reader = new BatchReader(new LayoutCache(registry));
  const decoders = new Map<number, (into: T[]) => void>();
  let decoded: T[] = [];
  const writer = new BatchWriter({
    registry,
    keyed: false,
    encoding: 'columns',
    deliver: (image) => {
      if (image.length > reader.image.length) reader.resize(image.length);
      image.copy(reader.image);
      reader.load();
      let decode = decoders.get(reader.known.id);
      if (decode === undefined) decoders.set(reader.known.id, (decode = makeDecoder(reader)));
      decode(decoded);
    },
  });
  return () => {
    decoded = [];
    for (const record of records) writer.append(record);
    writer.flush();
    return decoded;
  };
}

function codecSuite<T>(name: string, records: readonly T[]): MicroSuite {
  const packr = new Packr({ useRecords: true });
  return {
    name: `${ROWS} ${name} records there and back`,
    per: ROWS,
    cases: {
      columns: columnsRoundTrip(records),
      'structured clone': () => structuredClone(records),
      'v8.serialize': () => deserialize(serialize(records)),
      JSON: () => JSON.parse(JSON.stringify(records)) as unknown,
      'msgpackr records': () => packr.unpack(packr.pack(records)) as unknown,
    },
    check: (result) => {
      if (JSON.stringify(result) !== JSON.stringify(records)) throw new Error(`${name} records came back changed`);
    },
  };
}

const numeric = Array.from({ length: ROWS }, (_, n) => ({ id: n, time: 1.7e12 + n, amount: n / 4, ratio: 1 / (n + 1) }));

/** The codec of exchanges beside other ways to copy records. */
export const suites: readonly MicroSuite[] = [
  codecSuite('numeric', numeric),
  codecSuite('mixed', makeMixed(ROWS)),
  codecSuite('nested', makeOrders(ROWS)),
];
