const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** A small generator of numbers below `below`, the same in each run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const join = (lines: readonly string[], end = '\n'): string => lines.map((line) => line + end).join('');

/** Lines from nothing to some thousand bytes, short and long ones side by side. */
function unevenLines(seed: number, count: number, alphabet: readonly string[]): string[] {
  const next = numbersFrom(seed);
  return Array.from({ length: count }, (_, n) => `${n} ${alphabet[next(alphabet.length)]!.repeat([0, 1, 7, 100, 3000][next(5)]!)}`);
}

const asJson = (lines: readonly string[]): string[] => lines.map((text, n) => JSON.stringify({ n, text }));
const withMark = (text: string): Buffer => Buffer.concat([BYTE_ORDER_MARK, Buffer.from(text)]);

const uneven = unevenLines(1, 400, ['x']);
const wide = unevenLines(2, 400, ['é', '漢', '😀', 'a😀é']);
/** Longer than any block that is read at once. */
const huge = ['a', 'b'.repeat(3 * 2 ** 20), 'c', 'é'.repeat(2 ** 20), '😀'.repeat(2 ** 19), 'd'];

/** Files of text lines, by what is special about them. */
export const TEXT_FILES: Readonly<Record<string, string | Buffer>> = {
  'no byte at all': '',
  'one line': 'only\n',
  'one line without a line end': 'only',
  'less bytes than readers': 'a\nb',
  'only blank lines': '\n\n\r\n \n\n\r\n',
  'lines of very different lengths': join(uneven),
  'no line end behind the last line': join(uneven).slice(0, -1),
  'Windows line ends': join(uneven, '\r\n'),
  'Windows line ends, none at the end': join(uneven, '\r\n').slice(0, -2),
  'carriage returns that end no line': 'a\rb\n\r\r\n\rc\r',
  'characters of several bytes': join(wide),
  'characters of several bytes, shifted by one': `x${join(wide)}`,
  'a byte order mark': withMark(join(['é', 'b', 'c'])),
  'a byte order mark and nothing else': BYTE_ORDER_MARK,
  'a byte order mark that is no longer at the start': `a\n\uFEFFb\n`,
  'huge lines': join(huge),
  'huge lines and no line end': join(huge).slice(0, -1),
};

/** Files of JSON lines, by what is special about them. */
export const JSON_FILES: Readonly<Record<string, string | Buffer>> = {
  'no byte at all': '',
  'one line': '{"a":1}\n',
  'one line without a line end': '{"a":1}',
  'less bytes than readers': '1\n2',
  'only blank lines': '\n\n\r\n \t\n\n\r\n',
  'blank lines between others': '\n{"a":1}\n\n \r\n{"a":2}\n\t\n',
  'lines of very different lengths': join(asJson(uneven)),
  'no line end behind the last line': join(asJson(uneven)).slice(0, -1),
  'Windows line ends': join(asJson(uneven), '\r\n'),
  'characters of several bytes': join(asJson(wide)),
  'characters of several bytes, shifted by one': ` ${join(asJson(wide))}`,
  'a byte order mark': withMark(join(asJson(['é', 'b', 'c']))),
  'a byte order mark and nothing else': BYTE_ORDER_MARK,
  'pairs of surrogates as escapes': join(Array.from({ length: 300 }, (_, n) => `{"n":${n},"t":"${String.raw`\ud83d\ude00`.repeat(n % 9)}"}`)),
  'surrogates alone, as escapes, beside others': join(
    Array.from({ length: 300 }, (_, n) => `{"n":${n},"t":"${[String.raw`\ud83d`, 'é😀', String.raw`\ude00\ud83d`, 'ascii', String.raw`\uD83Dx\uDE00`][n % 5]}","u":"${n}"}`),
  ),
  'huge lines': join(asJson(huge)),
  'scalars, arrays and objects in turn': join(
    Array.from({ length: 500 }, (_, n) => ['null', 'true', '-0', '1e400', '12345678901234567890', '"text"', '[]', '[1,[2,{"a":[]}]]', '{}', '{"a":{"b":{"c":1}}}', '{"a":[1]}', '{"a":null}'][n % 12]!),
  ),
  'fields that come, go and change their type': join(
    Array.from({ length: 500 }, (_, n) => JSON.stringify({ [`f${n % 17}`]: [n, `${n}`, null, n % 2 === 0, { n }, [n]][n % 6], n, ...(n % 3 === 0 ? { deep: { [`g${n % 5}`]: n } } : {}) })),
  ),
};

/** The lines of a text, as anybody would split it. */
export function linesOf(content: string | Buffer): string[] {
  const text = content.toString('utf8').replace(/^\uFEFF/, '');
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.replace(/\r$/, ''));
}

/** The records of JSON lines, by `JSON.parse`. */
export function jsonRecordsOf(content: string | Buffer): unknown[] {
  return linesOf(content)
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as unknown);
}
