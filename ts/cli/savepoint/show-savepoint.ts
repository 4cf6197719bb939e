import { counted } from '../../common/counted.ts';
import { EXIT_FAILED } from '../exit-code.ts';
import { type ListedPart, readSavepoint, type SavepointListing } from './read-savepoint.ts';

/** Options of `sage-kernel savepoint show`. */
export interface ShowOptions {
  readonly path: string;
  readonly json: boolean;
}

/** One operator, with what its instances have handed over. */
interface ShownOperator {
  /** What `uid` was called with; nothing where the operator is known by its name. */
  readonly uid: string | null;
  readonly name: string;
  readonly parallelism: number;
  /** Instances that had nothing left to do. */
  readonly finished: readonly number[];
  readonly parts: readonly Omit<ListedPart, 'operator'>[];
}

/** Before the name of an operator without uid (`operatorId`). */
const BY_NAME = 'name:';

/** `sage-kernel savepoint show`: what is in it. @throws UsageError when there is none; SageError for one that is damaged. */
export function showSavepoint({ path, json }: ShowOptions): void {
  const listing = readSavepoint(path);
  const operators = operatorsOf(listing);
  const bytes = listing.files.reduce((sum, file) => sum + file.bytes, 0);
  if (json) {
    const { formatVersion, epoch, metadata, files, skipped } = listing;
    console.log(JSON.stringify({ path, formatVersion, epoch, checksums: 'right', bytes, metadata, operators, files, skipped }));
  } else {
    console.log(headText(listing, path, bytes));
    for (const operator of operators) if (operator.parts.length > 0) console.log(operatorText(operator));
    const without = operators.filter(({ parts }) => parts.length === 0).length;
    if (without > 0) console.log(`\n${counted(without, 'operator')} without state`);
    for (const error of listing.skipped) console.error(`\nskipped, as it is damaged: ${error}`);
  }
  if (listing.skipped.length > 0) process.exitCode = EXIT_FAILED;
}

function operatorsOf({ metadata, parts }: SavepointListing): ShownOperator[] {
  const known = metadata?.operators ?? {};
  const ids = [...new Set([...Object.keys(known), ...parts.map(({ operator }) => operator)])];
  return ids.map((id) => {
    const own = parts.filter(({ operator }) => operator === id).map(({ operator: _, ...part }) => part);
    const hasUid = !id.startsWith(BY_NAME);
    return {
      uid: hasUid ? id : null,
      name: hasUid ? id : id.slice(BY_NAME.length),
      parallelism: known[id]?.parallelism ?? own[0]?.parallelism ?? 0,
      finished: known[id]?.finished ?? [],
      parts: own,
    };
  });
}

function headText({ epoch, formatVersion, metadata, files }: SavepointListing, path: string, bytes: number): string {
  const job = metadata?.job === undefined ? '' : ` of job '${metadata.job}'`;
  const how = metadata?.last === true ? 'with it the job stopped, or had ended' : 'the job went on';
  return [
    `epoch ${epoch}${job} in ${path}`,
    `  format ${formatVersion}, ${counted(bytes, 'byte')}, every checksum is right`,
    `  ${how}${metadata?.keyGroups === undefined ? '' : `; ${counted(metadata.keyGroups, 'key group')}`}`,
    ...(files.length > 1 ? files.map((file) => `  ${file.path}, ${counted(file.bytes, 'byte')}`) : []),
  ].join('\n');
}

function operatorText({ uid, name, parallelism, finished, parts }: ShownOperator): string {
  const who = uid === null ? `'${name}' (no uid)` : `uid '${uid}'`;
  const ended = finished.length === 0 ? '' : finished.length === parallelism ? ', ended' : `, ${finished.length} of them ended`;
  const rows = parts.map(({ name: part, instance, kind, isFull, bytes, entries }) => [part, `instance ${instance}`, kind, counted(bytes, 'byte'), entries === null ? '' : isFull ? entriesText(entries) : `${counted(entries, 'change')}`]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return ['', `${who}: ${counted(parallelism, 'instance')}${ended}`, ...rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}`)].join('\n');
}

function entriesText(entries: number): string {
  return entries === 1 ? '1 entry' : `${entries} entries`;
}
