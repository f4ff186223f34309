import { dirname } from 'node:path';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import { REPOSITORY } from '../../hack/lab/paths.js';
import type { PodSpec, Volume } from '../../src/apis/core.js';

/** No registry can be reached from a lab: Node and the libraries are those of this machine. */
const MACHINE_PATHS = ['/lib', '/lib64', dirname(process.execPath), `${REPOSITORY}/node_modules`];
/** Path of the official client library, in those containers too. */
export const CLIENT_LIBRARY = `${REPOSITORY}/node_modules/@kubernetes/client-node/dist/index.js`;

/**
 * A pod that runs a program in JavaScript, `main.mjs` of a ConfigMap, with the official client library as `client`. What
 * the program returns is its termination message.
 */
export function inClusterPodSpec(configMap: string, more: Partial<PodSpec> = {}): Partial<PodSpec> {
  const volumes: Volume[] = [
    { name: 'program', configMap: { name: configMap } },
    ...MACHINE_PATHS.map((path, index) => ({ name: `machine-${index}`, hostPath: { path, type: 'Directory' } })),
  ];
  const mounts = MACHINE_PATHS.map((path, index) => ({ name: `machine-${index}`, mountPath: path, readOnly: true }));
  const container = {
    name: 'main',
    image: LAB_IMAGES.busybox,
    command: [process.execPath, '/program/main.mjs'],
    volumeMounts: [{ name: 'program', mountPath: '/program' }, ...mounts],
  };
  return { restartPolicy: 'Never', containers: [container], volumes, ...more };
}

/** `main.mjs` around the body of an async function that gets `client`, and `code`: the HTTP code of a call that fails. */
export function inClusterProgram(body: string): string {
  return `
    import { writeFileSync } from 'node:fs';
    import * as client from '${CLIENT_LIBRARY}';
    const code = (call) => call.then(() => 200, (error) => error.code ?? String(error));
    async function main() {${body}}
    main().then(
      (result) => writeFileSync('/dev/termination-log', JSON.stringify(result)),
      (error) => { writeFileSync('/dev/termination-log', String(error)); process.exitCode = 1; },
    );
  `;
}
