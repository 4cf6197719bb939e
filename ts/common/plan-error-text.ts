import { codeFrame } from './code-frame.ts';
import type { ErrorCode } from './error-codes.generated.ts';
import { errorPagePath } from './error-page.ts';
import { formatSourceLocation, type SourceLocation } from './source-location.ts';

/** Another place that an error is about. */
export interface RelatedPlace {
  /** What is there, as the beginning of a line: `the uid was first given to 'parse'`. */
  readonly what: string;
  /** Where it is. */
  readonly declaredAt: SourceLocation;
}

/** What a plan error is put together from. */
export interface PlanErrorText {
  readonly code: ErrorCode;
  readonly message: string;
  readonly expected: string;
  readonly found: string | undefined;
  readonly help: string;
  readonly declaredAt: SourceLocation;
  readonly related: readonly RelatedPlace[];
}

/**
 * The message of a plan error: what is wrong, the source with a caret, the other places, what was expected and found, one fix,
 * and where to read more.
 */
export function planErrorText({ code, message, expected, found, help, declaredAt, related }: PlanErrorText): string {
  return [
    message,
    ...placeText('at', declaredAt),
    ...related.flatMap(({ what, declaredAt: place }) => placeText(`${what}:`, place, { linesBefore: 0, linesAfter: 0 })),
    `  expected: ${expected}`,
    ...(found === undefined ? [] : [`  found: ${found}`]),
    `  fix: ${help}`,
    `  see: sage-kernel/${errorPagePath(code)}`,
  ].join('\n');
}

/** A place with its source, as lines. */
export function placeText(what: string, place: SourceLocation, options: Parameters<typeof codeFrame>[1] = {}): readonly string[] {
  const frame = codeFrame(place, options);
  return [`  ${what} ${formatSourceLocation(place)}`, ...(frame === '' ? [] : [frame])];
}
