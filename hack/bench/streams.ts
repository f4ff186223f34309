import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Lab } from '../lab/lab.js';
import { REPOSITORY } from '../lab/paths.js';
import { benchStreams } from './streams/bench.js';
import { parseStreamOptions } from './streams/options.js';
import { renderStreams } from './streams/result.js';
import { KUBELET_FLAGS } from './streams/stage.js';

const argv = process.argv.slice(2);
const options = parseStreamOptions(argv);
const startedAt = performance.now();

function log(line: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.error(`[${String(seconds).padStart(4)} s] ${line}`);
}

/** An interrupt must not leave a lab behind. */
function removeOnInterrupt(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      const lab = join(REPOSITORY, 'dist/hack/lab/main.js');
      spawnSync(process.execPath, [lab, 'down', '--instance', options.instance], { stdio: ['ignore', 2, 2] });
      process.exit(130);
    });
  }
}

/** Makes the lab, and goes on inside it: what makes load stays away from the machine's other network namespaces. */
async function outside(): Promise<number> {
  const { instance, keep } = options;
  removeOnInterrupt();
  await Lab.down(instance);
  const lab = await Lab.up({ instance, members: 1, full: true, extraArgs: { kubelet: KUBELET_FLAGS }, log });
  try {
    const args = [...process.execArgv, process.argv[1] ?? '', ...argv, '--inside'];
    return await lab.exec('client', process.execPath, args);
  } finally {
    if (keep) lab.close();
    else await lab.down();
  }
}

async function inside(): Promise<void> {
  const lab = Lab.open(options.instance);
  try {
    const result = await benchStreams(lab, options, log);
    const setting = { repeat: options.repeat, node: process.version, cpus: cpus().length };
    if (options.json) console.log(JSON.stringify({ ...setting, ...result }, undefined, 2));
    else console.log(renderStreams(result));
  } finally {
    lab.close();
  }
}

if (options.inside) await inside();
else process.exitCode = await outside();
