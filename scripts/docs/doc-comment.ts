/** A doc comment, taken apart. */
export interface DocComment {
  /** What stands before the tags, as Markdown. */
  readonly text: string;
  /** What `@throws` says, one a tag. */
  readonly throws: readonly string[];
  /** What `@param` says, by name. */
  readonly params: readonly (readonly [name: string, text: string])[];
}

/** A tag begins a line, or stands behind a sentence. */
const TAG_START = /\s(?=@[a-z]+\s)/;

/** Takes a doc comment apart. @param raw with its marks, as it stands in the source. @throws Error for a tag that nobody would print. */
export function parseDocComment(raw: string): DocComment {
  const lines = raw.replace(/^\/\*\*/, '').replace(/\*\/$/, '').split('\n').map((line) => line.replace(/^\s*\* ?/, ''));
  let text = '';
  const tags: string[] = [];
  let isCode = false;
  for (const line of lines) {
    if (line.trimStart().startsWith('```')) isCode = !isCode;
    // A tag may also stand at the end of a comment of one line.
    const [before = '', ...found] = isCode ? [`\n${line}`] : `\n${line}`.split(TAG_START);
    if (tags.length === 0) text += before;
    else tags[tags.length - 1] += before;
    tags.push(...found);
  }
  const throws: string[] = [];
  const params: [string, string][] = [];
  for (const tag of tags) {
    const [, name, value] = /^@(\w+)\s+([\s\S]*)$/.exec(tag)!;
    if (name === 'throws') throws.push(value!.trim());
    else if (name === 'param') params.push(/^(\S+)\s+([\s\S]*)$/.exec(value!.trim())!.slice(1) as [string, string]);
    else throw new Error(`nothing prints the tag @${name} of: ${raw}`);
  }
  return { text: text.replaceAll(/[ \t]+$/gm, '').trim(), throws, params };
}

/** The first sentence of a Markdown text, on one line. */
export function firstSentence(markdown: string): string {
  const paragraph = markdown.split(/\n\s*\n|\n```/)[0]!.replaceAll(/\s+/g, ' ').trim();
  return (/^.*?\.(?=\s|$)/.exec(paragraph)?.[0] ?? paragraph).replace(/:$/, '.');
}
