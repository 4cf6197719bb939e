import { inspect } from 'node:util';

import { counted } from '../../common/counted.ts';
import { readDeadLetters } from './read-dead-letters.ts';
import { type LetterGroup, summarise } from './letter-summary.ts';

/** Options of `sage-kernel deadletters show`. */
export interface ShowOptions {
  readonly letters: string;
  readonly operator: string | undefined;
  readonly json: boolean;
}

/** `sage-kernel deadletters show`: how many there are, of which operator, and why. @throws UsageError for a file that holds something else. */
export async function showDeadLetters({ letters, operator, json }: ShowOptions): Promise<void> {
  const summary = await summarise(readDeadLetters(letters), operator);
  if (json) {
    console.log(JSON.stringify({ file: letters, letters: summary.letters, groups: summary.groups }));
    return;
  }
  console.log(`${counted(summary.letters, 'dead letter')} in ${letters}${operator === undefined ? '' : ` of '${operator}'`}`);
  for (const group of summary.groups) console.log(groupText(group));
}

function groupText({ operator, declaredAt, error, letters, firstFailedAtMs, lastFailedAtMs, example }: LetterGroup): string {
  const when = firstFailedAtMs === lastFailedAtMs ? iso(firstFailedAtMs) : `${iso(firstFailedAtMs)} to ${iso(lastFailedAtMs)}`;
  return [
    '',
    `${letters} × '${operator}' (${declaredAt})`,
    `  ${error.name}: ${error.message}${error.code === '' ? '' : ` [${error.code}]`}`,
    `  ${when}`,
    `  such as ${inspect(example, { depth: 4, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 200, maxArrayLength: 10 })}`,
  ].join('\n');
}

function iso(epochMs: number): string {
  return Number.isFinite(epochMs) ? new Date(epochMs).toISOString() : 'at an unknown time';
}
