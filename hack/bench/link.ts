import { cpus } from 'node:os';
import { parseLinkOptions } from './link/options.js';
import type { Figure } from './link/part.js';
import { renderFigures } from './link/part.js';
import { LINK_PARTS } from './link/parts.js';

const options = parseLinkOptions(
  process.argv.slice(2),
  LINK_PARTS.map(({ name }) => name),
);
const startedAt = performance.now();

function log(line: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.error(`[${String(seconds).padStart(4)} s] ${line}`);
}

const figures: Record<string, Figure> = {};
for (const part of LINK_PARTS) {
  const wanted = options.parts.length === 0 || options.parts.includes(part.name);
  if (wanted) figures[part.name] = await part.run(options, log);
}
const setting = { repeat: options.repeat, node: process.version, cpus: cpus().length };
console.log(options.json ? JSON.stringify({ ...setting, ...figures }, undefined, 2) : renderFigures(figures));
