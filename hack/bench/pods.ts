import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Lab } from '../lab/lab.js';
import { REPOSITORY } from '../lab/paths.js';
import { PodBench } from './bench.js';
import { parseOptions, type BenchOptions } from './options.js';
import { renderResult } from './report.js';

const argv = process.argv.slice(2);
const options = parseOptions(argv);
const startedAt = performance.now();

function log(line: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.error(`[${String(seconds).padStart(4)} s] ${line}`);
}

/** An interrupt must not leave a lab behind. */
function removeOnInterrupt({ instance }: BenchOptions): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      const lab = join(REPOSITORY, 'dist/hack/lab/main.js');
      spawnSync(process.execPath, [lab, 'down', '--instance', instance], { stdio: ['ignore', 2, 2] });
      process.exit(130);
    });
  }
}

/** Makes the lab, and goes on inside it: what makes load stays away from the machine's other network namespaces. */
async function outside(): Promise<number> {
  const { instance, members, keep } = options;
  removeOnInterrupt(options);
  await Lab.down(instance);
  const lab = await Lab.up({ instance, members, nodes: 0, hostNodes: 0, log });
  try {
    return await lab.exec('client', process.execPath, [
      ...process.execArgv,
      process.argv[1] ?? '',
      ...argv,
      '--inside',
    ]);
  } finally {
    if (keep) lab.close();
    else await lab.down();
  }
}

async function inside(): Promise<void> {
  const { pods, members, repeat, config, token, json, instance } = options;
  const lab = Lab.open(instance);
  try {
    const result = await new PodBench(lab, options, log).run();
    const setting = { pods, members, repeat, config, token, node: process.version, cpus: cpus().length };
    if (json) console.log(JSON.stringify({ ...setting, ...result }, undefined, 2));
    else console.log(`${pods} pods, ${members} members, ${setting.cpus} CPUs\n${renderResult(result)}`);
  } finally {
    lab.close();
  }
}

if (options.inside) await inside();
else process.exitCode = await outside();
