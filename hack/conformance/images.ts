import { chmod, copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureArchive, type ImageRecipe } from '../lab/full/image-archive.js';
import { fillBusybox, writeScript } from '../lab/full/images.js';

const REGISTRY = 'registry.k8s.io/e2e-test-images';

/** Specs run `curl` only to ask for an address, which BusyBox can do too. */
const CURL = `#!/bin/sh
for word; do case $word in http*) address=$word ;; esac; done
exec wget -q -O - "$address"
`;

/** Files of the image that specs ask agnhost's web server for, or move away to make a probe fail. */
const SERVED = ['localhost.crt', 'localhost.key'];

const SHELL = '/bin/bash-static';

/** BusyBox with a shell that hands on variables with names like `data-1`, which its own, as Debian builds it, leaves out. */
async function fillBase(root: string): Promise<void> {
  await fillBusybox(root);
  await rm(join(root, 'bin/sh'));
  await copyFile(SHELL, join(root, 'bin/sh'));
}

/** Images in place of those that the suite pulls (k8s.io/kubernetes/test/utils/image, v1.36). */
export function conformanceRecipes(agnhost: string, sources: () => Promise<string>): readonly ImageRecipe[] {
  const fillAgnhost = async (root: string): Promise<void> => {
    await fillBase(root);
    await copyFile(agnhost, join(root, 'agnhost'));
    await chmod(join(root, 'agnhost'), 0o755);
    await symlink('agnhost', join(root, 'agnhost-2'));
    await mkdir(join(root, 'uploads'));
    const folder = join(await sources(), 'porter');
    for (const file of SERVED) await copyFile(join(folder, file), join(root, file));
    for (const file of SERVED) await chmod(join(root, file), 0o644);
    await writeScript(join(root, 'bin/curl'), CURL);
  };
  const fillWeb = async (root: string): Promise<void> => {
    await fillBase(root);
    await mkdir(join(root, 'usr/share/nginx/html'), { recursive: true });
    await writeFile(join(root, 'usr/share/nginx/html/index.html'), 'hello\n');
  };
  return [
    { names: [`${REGISTRY}/busybox:1.37.0-1`], command: ['sh'], fill: fillBase },
    {
      names: [`${REGISTRY}/agnhost:2.63.0`, `${REGISTRY}/agnhost:2.55`, 'registry.k8s.io/pause:3.10.2'],
      ...{ entrypoint: ['/agnhost'], command: ['pause'], fill: fillAgnhost },
    },
    {
      names: [`${REGISTRY}/nginx:1.15-4`, `${REGISTRY}/nginx:1.27-0`],
      ...{ entrypoint: ['/bin/httpd'], command: ['-f', '-p', '80', '-h', '/usr/share/nginx/html'], fill: fillWeb },
    },
  ];
}

/** @param sources - finds the folder of agnhost's source files; only asked when the images are made */
export function ensureConformanceImages(
  agnhost: string,
  sources: () => Promise<string>,
  log: (line: string) => void,
): Promise<string> {
  const recipes = conformanceRecipes(agnhost, sources);
  const key = JSON.stringify([agnhost, CURL, SHELL, recipes]);
  return ensureArchive({ recipes, key, log });
}
