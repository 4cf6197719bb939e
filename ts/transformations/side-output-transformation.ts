import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/**
 * What comes out of an operator beside its results.
 *
 * - `branch`: records that a route sends there
 * - `output`: what a function class gives with `this.output(tag, record)`
 * - `deadLetters`: records that it failed at
 */
export type SideChannel = 'branch' | 'output' | 'deadLetters';

/** One side output of an operator as a stream. */
export class SideOutputTransformation extends BaseTransformation {
  readonly kind = 'sideOutput';
  readonly channel: SideChannel;
  /** The branch's name or the output's tag; empty for dead letters. */
  readonly tag: string;

  constructor(input: BaseTransformation, channel: SideChannel, tag: string, declaredAt: SourceLocation) {
    super(channel === 'deadLetters' ? 'deadLetters' : tag, [input], declaredAt);
    this.channel = channel;
    this.tag = tag;
  }

  /** A branch has the records as they are, with their key. */
  override get keyedBy(): KeyByTransformation | undefined {
    return this.channel === 'branch' ? this.inputs[0]?.keyedBy : undefined;
  }
}

/** The operator whose function gives the records of `operator`: a branch has those of the function that divides. */
export function functionBehind(operator: BaseTransformation): BaseTransformation {
  return operator instanceof SideOutputTransformation && operator.channel === 'branch' ? operator.inputs[0]! : operator;
}
