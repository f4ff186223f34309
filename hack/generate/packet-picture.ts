import { svgDocument, textAt, textWidth } from './svg.js';

/**
 * Draws packets as rows of boxes, from a text:
 *
 *     # a title
 *     a place: outer header | ... | inner header
 *     -- what happens on the way to the next place
 *
 * A box that begins with `*` is the packet that is carried; it is drawn in another colour.
 */

const PADDING = 8;
const BOX_HEIGHT = 26;
const ROW_GAP = 14;
const LABEL_WIDTH = 190;
const MARGIN = 12;

interface Row {
  readonly kind: 'title' | 'note' | 'packet';
  readonly label: string;
  readonly boxes: readonly string[];
}

/** The picture of a text, as SVG. @throws Error for a line that is none of the three kinds */
export function renderPacketPicture(text: string): string {
  const rows = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(rowOf);
  const width = Math.max(...rows.map(rowWidth)) + 2 * MARGIN;
  const drawn: string[] = [];
  let y = MARGIN;
  for (const row of rows) {
    drawn.push(...drawRow(row, y));
    y += row.kind === 'note' ? BOX_HEIGHT : BOX_HEIGHT + ROW_GAP;
  }
  return svgDocument(width, y, drawn);
}

function rowOf(line: string): Row {
  if (line.startsWith('# ')) return { kind: 'title', label: line.slice(2), boxes: [] };
  if (line.startsWith('-- ')) return { kind: 'note', label: line.slice(3), boxes: [] };
  const [, label, boxes] = /^([^:]+): (.+)$/.exec(line) ?? [];
  if (label === undefined || boxes === undefined) throw new Error(`no packet, note or title: ${line}`);
  return { kind: 'packet', label, boxes: boxes.split('|').map((box) => box.trim()) };
}

const boxWidth = (box: string): number => textWidth(box.replace(/^\*/, '')) + 2 * PADDING;

function rowWidth({ kind, label, boxes }: Row): number {
  if (kind !== 'packet') return LABEL_WIDTH + textWidth(label);
  return LABEL_WIDTH + boxes.reduce((sum, box) => sum + boxWidth(box), 0);
}

function drawRow({ kind, label, boxes }: Row, y: number): readonly string[] {
  const baseline = y + 17;
  if (kind === 'title') return [textAt(MARGIN, baseline, label, 'font-weight="bold" font-size="13"')];
  if (kind === 'note') return [textAt(MARGIN + LABEL_WIDTH, baseline - 6, `↓ ${label}`, 'fill="#666666"')];
  let x = MARGIN + LABEL_WIDTH;
  const drawn = [textAt(MARGIN, baseline, label, '')];
  for (const box of boxes) {
    const carried = box.startsWith('*');
    const fill = carried ? '#d8ecd3' : '#dbe7f5';
    const width = boxWidth(box);
    drawn.push(`<rect x="${x}" y="${y}" width="${width}" height="${BOX_HEIGHT}" fill="${fill}" stroke="#444444"/>`);
    drawn.push(textAt(x + PADDING, baseline, box.replace(/^\*/, ''), ''));
    x += width;
  }
  return drawn;
}
