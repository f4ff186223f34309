import { Lab } from '../lab/lab.js';
import { runFullDemo } from './full.js';
import { runLightDemo } from './light.js';
import { show } from './show.js';

async function status(): Promise<void> {
  const lab = Lab.open('default');
  try {
    for (const { name, pid, alive } of lab.processes()) console.log(`${alive ? 'running' : 'ended'}\t${pid}\t${name}`);
    await show(lab, 'host', ['get', 'clusters,nodes']);
    await show(lab, 'host', ['get', 'pods', '-A', '-o', 'wide']);
  } finally {
    lab.close();
  }
}

const commands: Record<string, () => Promise<void>> = {
  up: runFullDemo,
  light: runLightDemo,
  status,
  down: () => Lab.down('default'),
};
const command = commands[process.argv[2] ?? 'up'];
if (command === undefined) {
  console.error(`unknown command "${process.argv[2] ?? ''}"; choose one of ${Object.keys(commands).join(', ')}`);
  process.exitCode = 2;
} else {
  try {
    await command();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
