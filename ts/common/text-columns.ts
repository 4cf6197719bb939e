/** Scripts and signs of East Asia, and what is shown as a picture. */
const WIDE = /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}\p{Emoji_Presentation}]/u;
/** What most texts consist of, so that they need not be looked at letter by letter. */
const PLAIN = /^[ -~]*$/;
const NOTHING = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** How many columns of a monospaced font a text takes: letters of East Asia and pictures two, marks on letters none. */
export function textColumns(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += characterColumns(character);
  return columns;
}

/** The text, or as much of it as has room, with an ellipsis at its end. */
export function shortenText(text: string, columns: number): string {
  if (textColumns(text) <= columns) return text;
  let short = '';
  let taken = 1;
  for (const character of text) {
    taken += characterColumns(character);
    if (taken > columns) break;
    short += character;
  }
  return columns < 1 ? '' : `${short}…`;
}

function characterColumns(character: string): number {
  if (NOTHING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
