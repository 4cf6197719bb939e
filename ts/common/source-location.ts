import { findSourceMap, type SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ownCode } from './package-paths.ts';
import { embedSource } from './source-text.ts';

/** A place in the user's source. `line` and `column` count from 1; a line of 0 means that the place is unknown. */
export interface SourceLocation {
  /** Absolute path, or what the engine calls the code when it is in no file (`[eval]`, `REPL1`). */
  readonly file: string;
  /** From 1; 0 where the place is unknown. */
  readonly line: number;
  /** From 1, in UTF-16 code units as editors count. */
  readonly column: number;
}

/** The location of code that was not called from any file of a user. */
export const UNKNOWN_LOCATION: SourceLocation = { file: '<unknown>', line: 0, column: 0 };

/** How deep below our own frames the user's call may lie. */
const MAX_FRAMES = 12;

/** Our own sources (`ts/`, or `dist/` once built): frames of these are never the user's. */
const OWN_ROOT = ownCode;

/**
 * Where the user called us: the nearest frame below `belowFrame` that is neither Node's nor ours.
 *
 * It costs some microseconds, as only a few frames are read and none is turned into text.
 *
 * @param belowFrame the public function that the user called; it and what it called are left out.
 */
export function captureSourceLocation(belowFrame: ((...args: never[]) => unknown) | (new (...args: never[]) => unknown)): SourceLocation {
  const holder: { stack?: unknown } = {};
  const limitBefore = Error.stackTraceLimit;
  const prepareBefore = Error.prepareStackTrace;
  Error.stackTraceLimit = MAX_FRAMES;
  Error.prepareStackTrace = (_error, frames) => frames;
  let frames: unknown;
  try {
    Error.captureStackTrace(holder, belowFrame);
    frames = holder.stack; // formatted by the first read, which must come before the hook is put back
  } finally {
    Error.stackTraceLimit = limitBefore;
    // An undefined hook means "the engine's own format".
    Error.prepareStackTrace = prepareBefore as NonNullable<typeof Error.prepareStackTrace>;
  }
  if (!Array.isArray(frames)) return UNKNOWN_LOCATION;
  for (const frame of frames as NodeJS.CallSite[]) {
    const file = userFile(frame);
    if (file !== undefined) {
      return throughSourceMap({ file, line: frame.getLineNumber() ?? 0, column: frame.getColumnNumber() ?? 0 });
    }
  }
  return UNKNOWN_LOCATION;
}

/** `file:line:column`, as terminals and editors make it clickable. */
export function formatSourceLocation(location: SourceLocation): string {
  return location.line === 0 ? location.file : `${location.file}:${location.line}:${location.column}`;
}

function userFile(frame: NodeJS.CallSite): string | undefined {
  const name = frame.getFileName() ?? frame.getEvalOrigin();
  if (name == null || name.startsWith('node:')) return undefined;
  const file = name.startsWith('file:') ? fileURLToPath(name) : name;
  return file.startsWith(OWN_ROOT) ? undefined : file;
}

/** With `--enable-source-maps`, compiled code points to what the user wrote. */
function throughSourceMap(location: SourceLocation): SourceLocation {
  const map = findSourceMap(location.file);
  const entry = map?.findEntry(location.line - 1, location.column - 1);
  if (map === undefined || entry === undefined || !('originalSource' in entry) || !entry.originalSource) return location;
  const source = entry.originalSource;
  const file = source.startsWith('file:') ? fileURLToPath(source) : source;
  embedSource(file, () => embeddedText(map, source));
  return { file, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

/** What the map itself holds of a source: compilers name it from the map's own place, the engine by its whole address. */
function embeddedText(map: SourceMap, source: string): string | undefined {
  const { sources, sourcesContent } = map.payload;
  const index = sources.findIndex((name) => source === name || source.endsWith(`/${name.replace(/^(?:\.\.?\/)+/, '')}`));
  return (sourcesContent as readonly (string | null)[] | undefined)?.[index] ?? undefined;
}
