/** Builds the image: `--output FILE`, `--image NAME:TAG`. */
import { parseArgs } from 'node:util';
import { buildImage } from './build.js';

const { values } = parseArgs({ options: { output: { type: 'string' }, image: { type: 'string' } } });
const built = await buildImage({
  ...(values.image !== undefined && { name: values.image }),
  ...(values.output !== undefined && { output: values.output }),
});
console.log(`image    ${built.name}`);
console.log(`digest   ${built.digest}`);
console.log(`archive  ${built.archive} (${(built.bytes / 2 ** 20).toFixed(1)} MiB)`);
console.log(`contents ${built.sbom}`);
console.log('import it with one of:');
console.log(`  ctr -n k8s.io images import ${built.archive}`);
console.log(`  docker load -i ${built.archive}`);
console.log(`  podman load -i ${built.archive}`);
