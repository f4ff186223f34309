/** Size of the units of a tar archive. */
export const BLOCK = 512;
const LONGEST_NAME = 100;
/** What eleven octal digits can say. */
const LARGEST_SIZE = 0o77777777777;
const MODE = '0000644\0';
const CHECKSUM = { at: 148, length: 8 } as const;

/**
 * The header of a plain file in a tar archive, in the oldest form that all programs read (POSIX ustar). It says nothing
 * about owner and time, so that the same content always gives the same archive.
 *
 * @throws RangeError for a name or size that this form has no place for
 */
export function tarHeader(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > LONGEST_NAME) throw new RangeError(`the name ${name} is too long for the archive`);
  if (size > LARGEST_SIZE) throw new RangeError(`${name} has ${size} bytes, which is too much for the archive`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0);
  header.write(MODE, 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write('0', 156);
  header.write('ustar\0' + '00', 257);
  // The sum is made as if it consisted of spaces itself.
  header.fill(' ', CHECKSUM.at, CHECKSUM.at + CHECKSUM.length);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM.at);
  return header;
}

/** What follows a content of that size up to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}
