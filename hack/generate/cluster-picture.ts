import { svgDocument, textAt, textWidth } from './svg.js';

/*
 * Draws clusters as boxes, the first above all others, from a text:
 *
 *     # a title
 *     cluster NAME: what stands on the box
 *       something in it
 *       *something of ours in it
 *     NAME > OTHER: an arrow
 *     NAME = OTHER: a line both ways, dashed
 */

const LINE_HEIGHT = 22;
const PADDING = 12;
const MARGIN = 16;
const ROW_GAP = 64;
const COLUMN_GAP = 110;
const TITLE_HEIGHT = 34;
/** How far arrow and dashed line of one pair of clusters stand from the middle. */
const APART = 24;
const COLORS = { box: '#dbe7f5', ours: '#d8ecd3', line: '#444444' } as const;

interface Cluster {
  readonly name: string;
  readonly label: string;
  readonly parts: string[];
}

interface Link {
  readonly from: string;
  readonly to: string;
  readonly dashed: boolean;
  readonly label: string;
}

interface Plan {
  title: string;
  readonly clusters: Cluster[];
  readonly links: Link[];
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The picture of a text, as SVG. @throws Error for a line that is none of the kinds, or a link to no cluster */
export function renderClusterPicture(text: string): string {
  const { title, clusters, links } = read(text);
  const boxes = arrange(clusters);
  const boxOf = (name: string): Box => {
    const box = boxes.get(name);
    if (box === undefined) throw new Error(`there is no cluster ${name}`);
    return box;
  };
  const all = [...boxes.values()];
  const width = Math.max(...all.map((box) => box.x + box.width), textWidth(title)) + MARGIN;
  const height = Math.max(...all.map((box) => box.y + box.height)) + MARGIN;
  return svgDocument(width, height, [
    `<defs><marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto"><path d="M0,0 L9,4 L0,8 z" fill="${COLORS.line}"/></marker></defs>`,
    textAt(MARGIN, MARGIN + 8, title, 'font-weight="bold" font-size="13"'),
    ...links.flatMap((link) => drawLink(link, boxOf(link.from), boxOf(link.to))),
    ...clusters.flatMap((cluster) => drawCluster(cluster, boxOf(cluster.name))),
  ]);
}

function read(text: string): Plan {
  const plan: Plan = { title: '', clusters: [], links: [] };
  for (const line of text.split('\n')) addLine(plan, line);
  return plan;
}

function addLine(plan: Plan, line: string): void {
  const [, name, label] = /^cluster (\S+): (.+)$/.exec(line) ?? [];
  const link = linkOf(line);
  if (name !== undefined && label !== undefined) plan.clusters.push({ name, label, parts: [] });
  else if (link !== undefined) plan.links.push(link);
  else if (line.startsWith('# ')) plan.title = line.slice(2);
  else if (line.startsWith('  ') && plan.clusters.length > 0) plan.clusters.at(-1)?.parts.push(line.trim());
  else if (line.trim() !== '') throw new Error(`no cluster, part, link or title: ${line}`);
}

function linkOf(line: string): Link | undefined {
  const [, from, kind, to, label] = /^(\S+) ([>=]) (\S+): (.+)$/.exec(line) ?? [];
  if (from === undefined || to === undefined || label === undefined) return undefined;
  return { from, to, dashed: kind === '=', label };
}

/** The first one above is as wide as all others together. */
function arrange(clusters: readonly Cluster[]): ReadonlyMap<string, Box> {
  const [first, ...others] = clusters;
  if (first === undefined) throw new Error('there is no cluster');
  const y = TITLE_HEIGHT + MARGIN;
  const below = y + heightOf(first) + ROW_GAP;
  const boxes = new Map<string, Box>();
  let x = MARGIN;
  for (const cluster of others) {
    const width = widthOf(cluster);
    boxes.set(cluster.name, { x, y: below, width, height: heightOf(cluster) });
    x += width + COLUMN_GAP;
  }
  const width = Math.max(widthOf(first), x - COLUMN_GAP - MARGIN);
  return boxes.set(first.name, { x: MARGIN, y, width, height: heightOf(first) });
}

function widthOf({ label, parts }: Cluster): number {
  return Math.max(...[label, ...parts].map(textWidth)) + 4 * PADDING;
}

function heightOf({ parts }: Cluster): number {
  return (parts.length + 1) * LINE_HEIGHT + 2 * PADDING;
}

function drawCluster({ label, parts }: Cluster, { x, y, width, height }: Box): readonly string[] {
  const frame = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="#f7f7f7" stroke="${COLORS.line}"/>`;
  const drawn = [frame, textAt(x + PADDING, y + PADDING + 10, label, 'font-weight="bold"')];
  parts.forEach((part, index) => {
    const top = y + PADDING + (index + 1) * LINE_HEIGHT;
    const isOurs = part.startsWith('*');
    const size = `width="${width - 2 * PADDING}" height="${LINE_HEIGHT - 4}"`;
    drawn.push(`<rect x="${x + PADDING}" y="${top}" ${size} fill="${isOurs ? COLORS.ours : COLORS.box}"/>`);
    drawn.push(textAt(x + 2 * PADDING, top + 13, part.replace(/^\*/, ''), ''));
  });
  return drawn;
}

/** Down from the one above, or across between neighbours; the label stands beside the line, or on it. */
function drawLink({ dashed, label }: Link, from: Box, to: Box): readonly string[] {
  const style = dashed ? 'stroke-dasharray="5 4"' : 'marker-end="url(#tip)"';
  const line = (points: string): string => `<line ${points} stroke="${COLORS.line}" ${style}/>`;
  if (from.y === to.y) {
    const y = from.y + from.height - PADDING - LINE_HEIGHT / 2;
    const [left, right] = [from.x + from.width, to.x];
    const text = textAt((left + right) / 2, y - 6, label, 'text-anchor="middle"');
    return [line(`x1="${left}" y1="${y}" x2="${right}" y2="${y}"`), text];
  }
  const x = to.x + to.width / 2 + (dashed ? APART : -APART);
  const [top, bottom] = [from.y + from.height, to.y];
  const anchor = dashed ? 'text-anchor="start"' : 'text-anchor="end"';
  const text = textAt(x + (dashed ? 8 : -8), (top + bottom) / 2 + 4, label, anchor);
  return [line(`x1="${x}" y1="${top}" x2="${x}" y2="${bottom}"`), text];
}
