import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goArch } from '../go-toolchain.js';
import { withFileLock } from '../lock.js';
import { cacheDirectory } from '../paths.js';
import { run } from '../run.js';

const BUILD_LIMIT_MS = 5 * 60_000;

/** Images that every node of a full cluster has; no registry can be reached from a lab. */
export const LAB_IMAGES = {
  pause: 'registry.k8s.io/pause:3.10.1',
  busybox: 'docker.io/library/busybox:1.36',
  /** Serves HTTP on port 8080 (or `PORT`): `/` is the pod's host name, `/cgi-bin/echo` tells about the request. */
  http: 'kosmos.local/lab/http:1',
  coredns: 'kosmos.local/lab/coredns:1',
} as const;

/** Process 1 of every pod: waits for signals and for orphans. */
const PAUSE_SOURCE = `
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int signal) { (void)signal; _exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) {
  signal(SIGINT, end);
  signal(SIGTERM, end);
  signal(SIGCHLD, reap);
  for (;;) pause();
}
`;

const HTTP_SERVER = `#!/bin/sh
hostname > /www/index.html
exec httpd -f -p "\${PORT:-8080}" -h /www
`;

const ECHO_SCRIPT = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "hostname=$(hostname)"
echo "client=$REMOTE_ADDR"
echo "method=$REQUEST_METHOD"
echo "query=$QUERY_STRING"
`;

interface ImageRecipe {
  readonly name: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** Fills the image's root folder. */
  readonly fill: (root: string) => Promise<void>;
}

async function fillBusybox(root: string): Promise<void> {
  for (const folder of ['bin', 'etc', 'tmp', 'root', 'var']) await mkdir(join(root, folder));
  await chmod(join(root, 'tmp'), 0o1777);
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnobody:x:65534:\n');
  const { stdout: path } = await run('sh', ['-c', 'command -v busybox']);
  await copyFile(path.trim(), join(root, 'bin/busybox'));
  await chmod(join(root, 'bin/busybox'), 0o755);
  const { stdout: applets } = await run('busybox', ['--list']);
  for (const applet of applets.split('\n').filter((name) => name !== '' && name !== 'busybox')) {
    await symlink('busybox', join(root, 'bin', applet));
  }
}

async function writeScript(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  await chmod(file, 0o755);
}

async function fillHttp(root: string): Promise<void> {
  await fillBusybox(root);
  await mkdir(join(root, 'www/cgi-bin'), { recursive: true });
  await chmod(join(root, 'www'), 0o1777);
  await writeScript(join(root, 'server.sh'), HTTP_SERVER);
  await writeScript(join(root, 'www/cgi-bin/echo'), ECHO_SCRIPT);
}

function recipes(coredns: string): ImageRecipe[] {
  return [
    {
      name: LAB_IMAGES.pause,
      entrypoint: ['/pause'],
      fill: async (root) => {
        await run('gcc', ['-static', '-Os', '-x', 'c', '-', '-o', join(root, 'pause')], { input: PAUSE_SOURCE });
      },
    },
    { name: LAB_IMAGES.busybox, command: ['sh'], fill: fillBusybox },
    { name: LAB_IMAGES.http, entrypoint: ['/server.sh'], fill: fillHttp },
    {
      name: LAB_IMAGES.coredns,
      entrypoint: ['/coredns'],
      fill: async (root) => {
        await copyFile(coredns, join(root, 'coredns'));
        await chmod(join(root, 'coredns'), 0o755);
      },
    },
  ];
}

/** The configuration of an image with a single layer. */
export function imageConfig(recipe: Pick<ImageRecipe, 'entrypoint' | 'command'>, layerDigest: string): unknown {
  return {
    architecture: goArch(),
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(recipe.entrypoint === undefined ? {} : { Entrypoint: recipe.entrypoint }),
      ...(recipe.command === undefined ? {} : { Cmd: recipe.command }),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'kosmos lab' }],
  };
}

const digestOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

async function tar(target: string, folder: string): Promise<void> {
  const reproducible = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  await run('tar', [...reproducible, '-cf', target, '-C', folder, '.'], { timeoutMs: BUILD_LIMIT_MS });
}

/** Builds one docker archive (configurations, layers, manifest.json) with all images. */
async function buildArchive(target: string, coredns: string): Promise<void> {
  const work = await mkdtemp(`${target}.work-`);
  const archive = join(work, 'archive');
  await mkdir(archive);
  const manifest: unknown[] = [];
  for (const [index, recipe] of recipes(coredns).entries()) {
    const root = join(work, `root-${index}`);
    await mkdir(root);
    await recipe.fill(root);
    await tar(join(archive, `layer-${index}.tar`), root);
    const layer = await readFile(join(archive, `layer-${index}.tar`));
    const config = JSON.stringify(imageConfig(recipe, digestOf(layer)));
    const configName = `${digestOf(config)}.json`;
    await writeFile(join(archive, configName), config);
    manifest.push({ Config: configName, RepoTags: [recipe.name], Layers: [`layer-${index}.tar`] });
  }
  await writeFile(join(archive, 'manifest.json'), JSON.stringify(manifest));
  await tar(join(work, 'images.tar'), archive);
  await rename(join(work, 'images.tar'), target);
  await rm(work, { recursive: true, force: true });
}

/** The archive with all images of the lab, built when it isn't in the cache. */
export async function ensureImages(coredns: string, log: (line: string) => void): Promise<string> {
  const recipe = [PAUSE_SOURCE, HTTP_SERVER, ECHO_SCRIPT, JSON.stringify(LAB_IMAGES), coredns].join('\0');
  const target = join(cacheDirectory(), 'images', `${digestOf(recipe).slice(0, 16)}.tar`);
  if (existsSync(target)) return target;
  await withFileLock(`${target}.lock`, BUILD_LIMIT_MS, async () => {
    if (existsSync(target)) return;
    log('making the images of the lab (only the first time)');
    await buildArchive(target, coredns);
  });
  return target;
}
