/** One line of `kubectl top`. */
export interface TopLine {
  readonly name: string;
  readonly millicores: number;
  readonly mebibytes: number;
}

const LINE = /^(\S+)(?:\s+\S+)*?\s+(\d+)m(?:\s+\d+%)?\s+(\d+)Mi/;

/** Reads what `kubectl top node|pod --no-headers` prints; lines without figures (`<unknown>`) are left out. */
export function parseTop(text: string): readonly TopLine[] {
  return text.split('\n').flatMap((line) => {
    const [, name, millicores, mebibytes] = LINE.exec(line) ?? [];
    return name === undefined ? [] : [{ name, millicores: Number(millicores), mebibytes: Number(mebibytes) }];
  });
}
