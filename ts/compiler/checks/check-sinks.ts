import { resolve } from 'node:path';

import { planError } from '../../common/errors.ts';
import { UNKNOWN_LOCATION, type SourceLocation } from '../../common/source-location.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import { isStandardOutput, type StreamSink } from '../../transformations/sink-descriptor.ts';
import { SinkTransformation } from '../../transformations/sink-transformation.ts';
import type { Pipeline } from '../logical-plan.ts';

/** What the check of sinks must know of the submit. */
export interface SinkCheckOptions {
  readonly autostop?: boolean;
  readonly declaredAt?: SourceLocation;
}

/**
 * There must be something to do, records must go somewhere, and a `collect()` must have a reader.
 *
 * @throws SageError SAGE_PLAN_EMPTY, SAGE_PLAN_NO_SINK, SAGE_PLAN_COLLECT, SAGE_PLAN_OUTPUT_PATH or SAGE_PLAN_SINK.
 */
export function checkSinks(pipeline: Pipeline, options: SinkCheckOptions): void {
  const last = pipeline.at(-1);
  if (last === undefined) {
    throw planError('SAGE_PLAN_EMPTY', {
      message: 'the pipeline is empty',
      expected: 'at least one source and one sink',
      found: 'no operator at all',
      fix: 'Start with env.fromBatch or env.fromSource, and end with sink, print or collect.',
      declaredAt: options.declaredAt ?? UNKNOWN_LOCATION,
    });
  }
  const sinks = pipeline.filter((transformation) => transformation instanceof SinkTransformation);
  if (sinks.length === 0) {
    throw planError('SAGE_PLAN_NO_SINK', {
      message: `the records of '${last.name}' go nowhere, and no other stream of the pipeline has a sink`,
      expected: 'at least one stream that ends with sink, print or collect',
      found: 'no sink',
      fix: `Call .sink(...) or .print() on what '${last.name}' returned.`,
      declaredAt: last.declaredAt,
      operator: last.name,
    });
  }
  if (options.autostop === true) for (const sink of sinks) checkCollected(sink, options.declaredAt);
  checkPaths(sinks);
  checkStreams(sinks);
}

function checkCollected(transformation: SinkTransformation, submittedAt: SourceLocation | undefined): void {
  const { sink } = transformation;
  if (sink.form !== 'collect' || sink.collector.reading) return;
  throw planError('SAGE_PLAN_COLLECT', {
    message: `nobody reads '${transformation.name}', so that a submit with autostop would wait for ever`,
    expected: 'collect() is iterated over, which submits the job by itself',
    found: 'a submit with autostop, and no reader',
    fix: 'Replace submit({ autostop: true }) by for await (const record of stream.collect()), or collect() by sink(array).',
    declaredAt: transformation.declaredAt,
    related: submittedAt === undefined ? [] : [{ what: 'the submit', declaredAt: submittedAt }],
    operator: transformation.name,
  });
}

/** Two sinks that rename their file to one path would each believe that theirs is there. */
function checkPaths(sinks: readonly SinkTransformation[]): void {
  const owners = new Map<string, BaseTransformation>();
  for (const transformation of sinks) {
    const { sink } = transformation;
    if (sink.form !== 'native') continue;
    // One file has many names: out.jsonl, ./out.jsonl, and the whole path. A folder is not one of its files.
    const path = outputOf(sink.spec.path);
    const owner = owners.get(path);
    if (owner !== undefined) {
      throw planError('SAGE_PLAN_OUTPUT_PATH', {
        message: `'${owner.name}' and '${transformation.name}' both write '${sink.spec.path}'`,
        expected: 'one sink for each path',
        found: 'two sinks for one path',
        fix: 'Give one of them another path, or union the streams before one sink.',
        declaredAt: transformation.declaredAt,
        related: [{ what: `'${owner.name}', which writes it too`, declaredAt: owner.declaredAt }],
        operator: transformation.name,
      });
    }
    owners.set(path, transformation);
  }
}

/** The first of two sinks to come to its end would end the stream under the other one. */
function checkStreams(sinks: readonly SinkTransformation[]): void {
  const owners = new Map<object, SinkTransformation & { readonly sink: StreamSink }>();
  for (const transformation of sinks.filter(isStreamSink)) {
    const { sink } = transformation;
    const owner = owners.get(sink.stream);
    if (owner !== undefined && !(owner.sink.isShared && sink.isShared)) {
      throw planError('SAGE_PLAN_SINK', {
        message: `'${owner.name}' and '${transformation.name}' both write to the same ${sink.name}`,
        expected: 'one sink for each stream',
        found: 'two sinks for one stream',
        fix: 'Union the streams before one sink. Sinks with { end: false } may share a Node stream, which you then end yourself.',
        declaredAt: transformation.declaredAt,
        related: [{ what: `'${owner.name}', which writes to it too`, declaredAt: owner.declaredAt }],
        operator: transformation.name,
      });
    }
    owners.set(sink.stream, transformation);
  }
}

function isStreamSink(transformation: SinkTransformation): transformation is SinkTransformation & { readonly sink: StreamSink } {
  return transformation.sink.form === 'stream';
}

function outputOf(path: string): string {
  if (isStandardOutput(path)) return path;
  return path.endsWith('/') ? `${resolve(path)}/` : resolve(path);
}
