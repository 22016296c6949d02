export interface NdjsonLine {
  /** 1 for the first one; blank lines count. */
  readonly number: number;
  /** Null for a line that is longer than allowed. */
  readonly bytes: Buffer | null;
}

const NEWLINE = 0x0a;

/** The lines of a stream that are not blank, in constant memory: what is too long for a line is passed over. */
export async function* ndjsonLines(input: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<NdjsonLine> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer) => {
    length += part.length;
    if (length > maxBytes) parts = [];
    else parts.push(part);
  };
  const line = (): NdjsonLine => ({ number, bytes: length > maxBytes ? null : Buffer.concat(parts) });
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      if (!isBlank(line())) yield line();
      start = end + 1;
      number++;
      parts = [];
      length = 0;
    }
    keep(chunk.subarray(start));
  }
  if (!isBlank(line())) yield line();
}

function isBlank({ bytes }: NdjsonLine): boolean {
  return bytes !== null && bytes.toString().trim() === '';
}
