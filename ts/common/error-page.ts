import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { ErrorCode } from './error-codes.generated.ts';
import { packageRoot } from './package-paths.ts';

/** Where the help page of a code lies in the package. */
export function errorPagePath(code: ErrorCode): string {
  return `docs/errors/${code}.md`;
}

/** The address of a code's help page on this machine. */
export function errorPageUrl(code: ErrorCode): string {
  return pathToFileURL(join(packageRoot, errorPagePath(code))).href;
}

/** The help page of a code, as Markdown; undefined when it was not installed with the package, as in a bundle. */
export function errorPage(code: ErrorCode): string | undefined {
  try {
    return readFileSync(join(packageRoot, errorPagePath(code)), 'utf8');
  } catch {
    return undefined;
  }
}
