/** Width of a character of the font at its usual size. */
const CHARACTER_WIDTH = 7;

/** A picture on a white ground. */
export function svgDocument(width: number, height: number, drawn: readonly string[]): string {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="monospace" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

export function textWidth(text: string): number {
  return text.length * CHARACTER_WIDTH;
}

/** A text from its left end on, or around a point with `text-anchor`. */
export function textAt(x: number, y: number, text: string, attributes: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}"${attributes === '' ? '' : ` ${attributes}`}>${escaped}</text>`;
}
