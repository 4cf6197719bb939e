/**
 * Names a side output, with the type of its records.
 *
 * ```ts
 * const broken = new OutputTag<{ line: string; reason: string }>('broken');
 * ```
 */
export class OutputTag<out T> {
  /** Only for the type; never set. */
  declare readonly record?: T;
  /** By which the side output is known. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** The name of a side output that was given as a tag or as its name. */
export function tagName(tag: OutputTag<unknown> | string): string {
  return typeof tag === 'string' ? tag : tag.name;
}
