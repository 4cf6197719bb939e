import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

import { planError, SageError } from '../common/errors.ts';
import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import type { SchemaOutput, StandardSchema } from '../common/standard-schema.ts';
import { toRecordIterable } from '../datastream/streams/record-iterable.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { Source } from '../transformations/connector.ts';
import type { IterableSource } from '../transformations/source-descriptor.ts';
import { type AllowedSetting, checkSettings, FLAG, LINE_BYTES, oneOf, SCHEMA } from './connector-arguments.ts';
import type { LineOptions, SchemaOption } from './file-source.ts';
import { StreamLines } from './stream-lines.ts';

/** What lines can be read from: chunks of bytes or text, cut anywhere. */
export type ByteStream =
  | Readable
  | ReadableStream<Uint8Array | string>
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

/** Options of sources of lines in a stream. */
export interface StreamLineOptions extends Pick<LineOptions, 'invalidUtf8' | 'maxLineBytes'> {
  /** The stream never ends by itself. */
  readonly unbounded?: boolean;
}

const LINES: Readonly<Record<keyof StreamLineOptions | 'schema', AllowedSetting>> = {
  invalidUtf8: oneOf('error', 'replace'),
  maxLineBytes: LINE_BYTES,
  unbounded: FLAG,
  schema: SCHEMA,
};
const MAX_LINE_BYTES = 256 * 2 ** 20;
const BLANK = /^[ \t\r]*$/;

/**
 * The lines of a stream of bytes: a Node `Readable`, a `ReadableStream`, or any iterable of chunks. `fromSource(stream)`
 * itself would give the chunks, cut wherever they happen to be.
 *
 * ```ts
 * import { Readable } from 'node:stream';
 *
 * const body = Readable.from(['{"id": 1, "pri', 'ce": 9}\n{"id": 2, "price": 4}\n']);
 * env.fromSource(StreamSource.jsonLines<{ id: number; price: number }>(body)).filter((order) => order.price > 5).print();
 * ```
 *
 * One instance reads it, in the main isolate, and never further than it is asked to; it is destroyed when the job ends before
 * it does.
 */
export class StreamSource<out T> implements Source<T> {
  /** Only for the type; never set. */
  declare readonly record?: T;
  readonly #source: IterableSource;

  private constructor(source: IterableSource) {
    this.#source = source;
  }

  /**
   * One record for each line of JSON; lines of white space are skipped. `T` is what you say it is; a `schema`
   * checks it, and its output is the record.
   *
   * @throws SageError SAGE_PLAN_SOURCE for a stream that was read before or is no stream. In the job: SAGE_FORMAT_JSON with
   * the line, SAGE_FORMAT_UTF8, and SAGE_USER_SOURCE for an error of the stream.
   */
  static jsonLines<S extends StandardSchema>(stream: ByteStream, options: StreamLineOptions & SchemaOption<S>): StreamSource<SchemaOutput<S>>;
  static jsonLines<T = unknown>(stream: ByteStream, options?: StreamLineOptions): StreamSource<T>;
  static jsonLines(stream: ByteStream, options: StreamLineOptions = {}): StreamSource<unknown> {
    const call = 'StreamSource.jsonLines';
    return new StreamSource(lineSource(stream, options, call, captureSourceLocation(StreamSource.jsonLines), parseJson));
  }

  /**
   * One record for each line, without its line end (`\n` or `\r\n`). UTF-8.
   *
   * @throws SageError as `jsonLines`.
   */
  static textLines<S extends StandardSchema>(stream: ByteStream, options: StreamLineOptions & SchemaOption<S>): StreamSource<SchemaOutput<S>>;
  static textLines(stream: ByteStream, options?: StreamLineOptions): StreamSource<string>;
  static textLines(stream: ByteStream, options: StreamLineOptions = {}): StreamSource<unknown> {
    const call = 'StreamSource.textLines';
    return new StreamSource(lineSource(stream, options, call, captureSourceLocation(StreamSource.textLines), (line) => line));
  }

  /** What the compiler needs to know of it. Nothing is read. */
  describe(): IterableSource {
    return this.#source;
  }
}

function lineSource(
  stream: unknown,
  options: StreamLineOptions,
  call: string,
  declaredAt: SourceLocation,
  parse: (line: string, lineNumber: number) => unknown,
): IterableSource {
  const settings = checkSettings<StreamLineOptions & Partial<SchemaOption<StandardSchema>>>(options, LINES, call, declaredAt);
  const { unbounded = false, invalidUtf8 = 'error', maxLineBytes = MAX_LINE_BYTES, schema } = settings;
  // A path is an iterable of characters; nobody means these.
  const chunks = typeof stream === 'object' && stream !== null ? toRecordIterable(stream) : undefined;
  if (chunks === undefined || chunks.problem !== undefined) {
    throw planError('SAGE_PLAN_SOURCE', {
      message: `${call} was given ${chunks === undefined ? describeValue(stream) : `a ${chunks.name} that ${chunks.problem}`}`,
      expected: 'a Readable, a ReadableStream or an iterable of bytes or text that nobody has read',
      fix: typeof stream === 'string' ? `For a file write FileSource.${call.slice('StreamSource.'.length)}(path).` : `Write ${call}(response.body).`,
      declaredAt,
    });
  }
  let lines: StreamLines | undefined;
  return {
    form: 'iterable',
    name: `lines of ${chunks.name}`,
    open: () => (lines = new StreamLines(chunks.open(), { call, invalidUtf8, maxLineBytes, parse })),
    async: chunks.async === 'no' ? 'no' : 'unknown',
    // How far the lines of a chunk are, its iterator does not know.
    replay: chunks.replay === 'again' ? 'again' : 'once',
    bounded: !unbounded,
    ...(schema === undefined ? {} : { schema, lineOf: (record) => lines?.lineOf(record) }),
  };
}

function parseJson(line: string, lineNumber: number): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (cause) {
    if (BLANK.test(line)) return undefined;
    throw new SageError('SAGE_FORMAT_JSON', `line ${lineNumber} of the stream is not JSON: ${(cause as Error).message}`, {
      context: { line: lineNumber },
      help: 'Mend the line that the message names.',
      cause,
    });
  }
}
