import type { SourceLocation } from '../common/source-location.ts';
import type { ClassUserFunction, InstanceUserFunction, UserFunction } from '../functions/user-function.ts';
import type { Trigger } from '../functions/windows/trigger.ts';
import type { WindowAssigner } from '../functions/windows/windows.ts';
import type { AnyAggregator } from './aggregate-transformation.ts';
import { BaseTransformation } from './base-transformation.ts';

/** A trigger of the user: a class, or an object. */
export interface UserTrigger {
  readonly kind: 'custom';
  readonly fn: ClassUserFunction | InstanceUserFunction;
}

/** Which windows there are, and when they give results. */
export interface WindowSettings {
  /** Which records belong together. */
  readonly assigner: WindowAssigner;
  /** When there is a result. */
  readonly trigger: Trigger | UserTrigger;
  /** Whether a later result of a window is made of all its records, or of those that no result has shown. */
  readonly accumulation: 'accumulating' | 'discarding';
  /** So long after its end a window takes records. */
  readonly allowedLatenessMs: number;
  /** Side output for records that come too late for all of their windows; they are only counted when undefined. */
  readonly lateTag: string | undefined;
}

/** What becomes of the records of a window. */
export type WindowResult =
  | { readonly kind: 'reduce'; readonly fn: UserFunction }
  | { readonly kind: 'aggregate'; readonly spec: Readonly<Record<string, AnyAggregator>> }
  /** All of them: `{ key, start, end, elements }`. */
  | { readonly kind: 'elements' };

/** Divides a stream into windows; for each key on a keyed stream, else over all records. Its output carries no key. */
export class WindowTransformation extends BaseTransformation {
  readonly kind = 'window';
  readonly settings: WindowSettings;
  readonly result: WindowResult;

  constructor(input: BaseTransformation, settings: WindowSettings, result: WindowResult, declaredAt: SourceLocation) {
    super('window', [input], declaredAt);
    this.settings = settings;
    this.result = result;
  }

  /** Whether each key has windows of its own. */
  get keyed(): boolean {
    return this.inputs[0]?.keyedBy !== undefined;
  }

  override get canFail(): boolean {
    return true;
  }
}
