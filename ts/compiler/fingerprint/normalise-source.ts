/** Characters after which a slash begins a regular expression and not a division. */
const BEFORE_REGEXP = /(?:^|[({[,;:=!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|instanceof|new|throw|yield|await))$/;

/**
 * A function's source without comments and with single blanks, and none beside punctuation, so that two loaders that
 * lay out the same code differently give the same text. Strings, templates and regular expressions are kept as they are.
 */
export function normaliseSource(source: string): string {
  let out = '';
  let blank = false;
  const push = (text: string): void => {
    // A blank only matters between two words (`return x`) or two equal signs (`a + +b`).
    if (blank && out !== '' && needsBlank(out.at(-1)!, text[0]!)) out += ' ';
    blank = false;
    out += text;
  };
  let at = 0;
  while (at < source.length) {
    const end = tokenEnd(source, at, out);
    const token = source.slice(at, end);
    if (isBlank(token)) blank = true;
    else push(token);
    at = end;
  }
  return out;
}

const WORD = /[\p{ID_Continue}$#@]/u;

function needsBlank(left: string, right: string): boolean {
  return (WORD.test(left) && WORD.test(right)) || (left === right && (left === '+' || left === '-'));
}

function isBlank(token: string): boolean {
  return token.startsWith('//') || token.startsWith('/*') || /^\s/.test(token);
}

/** Where the token that begins at `at` ends; `before` is the code so far. */
function tokenEnd(source: string, at: number, before: string): number {
  const char = source[at]!;
  const next = source[at + 1];
  if (/\s/.test(char)) return matchEnd(/\s+/y, source, at);
  if (char === '/' && next === '/') return matchEnd(/[^\n]*/y, source, at);
  if (char === '/' && next === '*') {
    const end = source.indexOf('*/', at + 2);
    return end < 0 ? source.length : end + 2;
  }
  if (char === '"' || char === "'") return matchEnd(/(["'])(?:\\[^]|(?!\1)[^])*\1?/y, source, at);
  if (char === '`') return templateEnd(source, at);
  if (char === '/' && BEFORE_REGEXP.test(before.slice(-12))) {
    return matchEnd(/\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[\n])+\/[a-z]*/y, source, at);
  }
  return at + 1;
}

function matchEnd(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : at + 1;
}

/** The end of a template literal; code inside `${...}` may hold further ones. */
function templateEnd(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length) {
    const char = source[at]!;
    if (char === '\\') at += 2;
    else if (char === '`') return at + 1;
    else if (char === '$' && source[at + 1] === '{') at = substitutionEnd(source, at + 2);
    else at += 1;
  }
  return source.length;
}

function substitutionEnd(source: string, start: number): number {
  let depth = 1;
  let at = start;
  while (at < source.length && depth > 0) {
    const char = source[at]!;
    if (char === '{') depth += 1;
    else if (char === '}') depth -= 1;
    at = char === '{' || char === '}' ? at + 1 : tokenEnd(source, at, source.slice(Math.max(start, at - 12), at).trimEnd());
  }
  return at;
}
