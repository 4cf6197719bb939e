/** A fenced block of a document. */
export interface Fence {
  /** `ts`, `sh`, `text` ... */
  readonly language: string;
  /** The words behind the language: `file=bids.ts`, `output` ... */
  readonly info: string;
  readonly text: string;
  /** Of the first line of the text, in its document; from 1. */
  readonly line: number;
}

/** The fenced blocks of a Markdown text. @throws Error for a fence that is never closed. */
export function fencesOf(markdown: string): readonly Fence[] {
  const fences: Fence[] = [];
  const lines = markdown.split('\n');
  for (let n = 0; n < lines.length; n++) {
    const open = /^\s*```(\w+) ?(.*)$/.exec(lines[n]!);
    if (open === null) continue;
    const close = lines.findIndex((line, index) => index > n && /^\s*```\s*$/.test(line));
    if (close < 0) throw new Error(`the fence of line ${n + 1} is never closed`);
    fences.push({ language: open[1]!, info: open[2]!.trim(), text: `${lines.slice(n + 1, close).join('\n')}\n`, line: n + 2 });
    n = close;
  }
  return fences;
}

/** The doc comments of a source as Markdown with the same line numbers. */
export function docCommentsOf(source: string): string {
  const lines = source.split('\n');
  let inside = false;
  return lines
    .map((line) => {
      if (/^\s*\/\*\*/.test(line)) inside = true;
      const text = inside ? line.replace(/^\s*(\/\*\*|\*\/|\*) ?/, '') : '';
      if (line.includes('*/')) inside = false;
      return text;
    })
    .join('\n');
}

/** The value of `name=` in a fence's info. */
export function infoValue(fence: Fence, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(fence.info)?.[1];
}
