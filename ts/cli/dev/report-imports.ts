import nodeModule, { type RegisterHooksOptions } from 'node:module';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { packageRoot } from '../../common/package-paths.ts';
import type { ImportedMessage } from './dev-messages.ts';
import { fileSignature } from './file-signature.ts';

/** From 22.15 on Node tells a program about its imports. */
export const canReportImports: boolean = typeof (nodeModule as { registerHooks?: unknown }).registerHooks === 'function';

/** From now on tells of every local file that this thread imports or requires: neither installed packages nor this one. */
export function reportImports(report: (message: ImportedMessage) => void): void {
  const reported = new Set<string>();
  const tell = (url: string): void => {
    if (!url.startsWith('file:')) return;
    const file = fileURLToPath(url);
    if (reported.has(file) || isInstalled(file)) return;
    reported.add(file);
    report({ type: 'imported', file, signature: fileSignature(file) });
  };
  const hooks: RegisterHooksOptions = {
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        // It may be written next.
        const { url } = error as { readonly url?: unknown };
        if (typeof url === 'string') tell(url);
        throw error;
      }
    },
    load(url, context, next) {
      tell(url);
      return next(url, context);
    },
  };
  nodeModule.registerHooks(hooks);
}

function isInstalled(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`) || ['ts', 'dist'].some((folder) => file.startsWith(join(packageRoot, folder) + sep));
}
