import { readFileSync } from 'node:fs';

/** Sources that came inside source maps, by the path that the map gives them: they need not lie on this machine. */
const embedded = new Map<string, () => string | undefined>();

/** Remembers how to get at a source that a source map brought along. */
export function embedSource(file: string, text: () => string | undefined): void {
  if (!embedded.has(file)) embedded.set(file, text);
}

/**
 * The lines of a source file; undefined when it is nowhere to be found: `[eval]`, the REPL, or a file that is gone and in no
 * source map.
 */
export function sourceLines(file: string): readonly string[] | undefined {
  return (readText(file) ?? embedded.get(file)?.())?.split(/\r?\n/);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
