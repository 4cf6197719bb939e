import { API_AREAS, type ApiArea, areaOf } from './api-areas.ts';
import { type Declaration, declarationOf, type Member, membersWithHidden } from './declaration.ts';
import { fileOfUsedName, publicNames } from './public-names.ts';

/** A name of the reference. */
export interface ApiEntry extends Declaration {
  /** The file of its page in docs/api, without `.md`. */
  readonly page: string;
  /** Public names that it extends, and other ones that the reference does not have. */
  readonly bases: readonly string[];
}

/** All that the API reference knows. */
export interface ApiReference {
  readonly areas: readonly { readonly area: ApiArea; readonly entries: readonly ApiEntry[] }[];
  /** Types without a public name, which signatures speak of. */
  readonly otherTypes: readonly ApiEntry[];
}

/** The page of types that have no public name. */
export const OTHER_TYPES_PAGE = 'other-types';

/** Reads the sources. @throws Error for a name that is not declared where it is exported from, or that has no page. */
export function readApi(): ApiReference {
  const names = publicNames();
  const isPublic = (name: string): boolean => names.some((known) => known.name === name);
  const entryOf = (declaration: Declaration, page: string): ApiEntry => ({ ...declaration, page, ...membersWithHidden(declaration, isPublic) });
  const entries = names.map(({ name, file }) => {
    const declaration = declarationOf(name, file);
    if (declaration === undefined) throw new Error(`${file} does not declare ${name}, which the package exports from it`);
    return entryOf(declaration, areaOf(file).page);
  });
  return {
    areas: API_AREAS.map((area) => ({ area, entries: entries.filter(({ page }) => page === area.page) })),
    otherTypes: otherTypesOf(entries, isPublic).map((declaration) => entryOf(declaration, OTHER_TYPES_PAGE)),
  };
}

/** Members that a reader calls or reads; overrides are described where they are declared first. */
export function shownMembers(entry: ApiEntry): readonly Member[] {
  return entry.members.filter((member) => !member.isOverride || member.comment !== undefined);
}

/** Types that signatures of public names speak of, and types that those are made of. */
function otherTypesOf(entries: readonly ApiEntry[], isPublic: (name: string) => boolean): readonly Declaration[] {
  const found = new Map<string, Declaration>();
  const visit = ({ types, file: from }: Pick<Declaration, 'types' | 'file'>): void => {
    for (const name of types) {
      if (isPublic(name) || found.has(name)) continue;
      const file = fileOfUsedName(name, from);
      // Classes, and all that the compiler and the runtime declare, are the engine's own: nobody outside makes one.
      if (file === undefined || /^ts\/(compiler|runtime)\//.test(file)) continue;
      const other = declarationOf(name, file);
      if (other === undefined || (other.kind !== 'type' && other.kind !== 'interface')) continue;
      found.set(name, other);
      if (other.kind === 'type') visit(other);
    }
  };
  for (const entry of entries) {
    visit(entry);
    // Members of hidden bases are written down elsewhere, and so are the names that they use.
    for (const member of entry.members) if (member.file !== entry.file) visit(member);
  }
  return [...found.values()].toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
}
