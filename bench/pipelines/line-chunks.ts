import { createReadStream } from 'node:fs';

const CHUNK_BYTES = 256 * 1024;

/** Reads the lines of a file by hand: large chunks, cut at line ends. The fastest way in JavaScript that we know. */
export async function forEachLine(path: string, take: (line: string) => void): Promise<void> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: CHUNK_BYTES })) {
    const text = rest + (chunk as string);
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      take(text.slice(from, end));
      from = end + 1;
    }
    rest = text.slice(from);
  }
  if (rest !== '') take(rest);
}
