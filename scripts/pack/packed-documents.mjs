import { posix } from 'node:path';

/** Address of a link, behind `](`: neither of the web nor within the page. */
const RELATIVE_LINK = /(?<!!)\[((?:[^[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)\s]+)\)/g;

/**
 * A document as it is in the package, where the sources, examples and tests that it links to are not: those links lead to the
 * repository, and where none is known only their text stays.
 *
 * @param {string} text
 * @param {string} path of the document, from the root of the package
 * @param {ReadonlySet<string>} packed paths in the package
 * @param {string | undefined} address where files of the repository can be read, with `/` at its end
 * @returns {string}
 */
export function packedDocument(text, path, packed, address) {
  const folders = new Set([...packed].flatMap((file) => ancestors(file)));
  return outsideFences(text, (part) =>
    part.replaceAll(RELATIVE_LINK, (link, label, target) => {
      const [file, anchor] = target.split('#');
      const place = posix.join(posix.dirname(path), file);
      if (packed.has(place) || folders.has(place.replace(/\/$/, ''))) return link;
      if (address === undefined) return label;
      return `[${label}](${address}${place}${anchor === undefined ? '' : `#${anchor}`})`;
    }),
  );
}

/**
 * Where files of a repository can be read, at the tag of a version.
 *
 * @param {{ repository?: string | { url: string }, version: string }} manifest
 * @returns {string | undefined}
 */
export function repositoryAddress({ repository, version }) {
  const url = typeof repository === 'string' ? repository : repository?.url;
  const page = url?.replace(/^git\+/, '').replace(/\.git$/, '');
  return page !== undefined && /^https?:\/\//.test(page) ? `${page}/blob/v${version}/` : undefined;
}

function ancestors(path) {
  const folder = posix.dirname(path);
  return folder === '.' ? [folder] : [folder, ...ancestors(folder)];
}

/** Fenced blocks stay as they are. */
function outsideFences(text, change) {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part, n) => (n % 2 === 0 ? change(part) : part))
    .join('');
}
