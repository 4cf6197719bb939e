/** Gives headings their anchors as GitHub does: one that comes again gets a number. */
export class HeadingAnchors {
  readonly #taken = new Map<string, number>();

  /** The anchor of the next heading of a page. */
  next(heading: string): string {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
      .replaceAll(' ', '-');
    const times = this.#taken.get(slug) ?? 0;
    this.#taken.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  }
}

/** The anchors of a Markdown text. What looks like a heading in a fenced block is none. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new HeadingAnchors();
  const prose = markdown.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
  return new Set([...prose.matchAll(/^#+ (.+)$/gm)].map((match) => anchors.next(match[1]!)));
}
