import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtBindingTypes } from './build-addon.mjs';
import { projectRoot } from './project.mjs';

/** Where the declarations of the binding are committed, so that TypeScript can be checked without Rust. */
export const committedBindingTypes = 'ts/runtime/native/generated/binding.d.ts';

/** Whether the committed declarations are those of the addon's sources. */
export function bindingTypesAreCurrent() {
  const committed = join(projectRoot, committedBindingTypes);
  return existsSync(committed) && readFileSync(committed, 'utf8') === readFileSync(builtBindingTypes, 'utf8');
}

/** Brings the committed declarations up to date with the addon. */
export function updateBindingTypes() {
  const committed = join(projectRoot, committedBindingTypes);
  mkdirSync(dirname(committed), { recursive: true });
  copyFileSync(builtBindingTypes, committed);
}
