import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.js';
import { ensureArchive, type ImageRecipe } from './image-archive.js';

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

/** Fills an image with BusyBox and all its commands. */
export async function fillBusybox(root: string): Promise<void> {
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

/** Writes a file that can be run. */
export async function writeScript(file: string, text: string): Promise<void> {
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
      names: [LAB_IMAGES.pause],
      entrypoint: ['/pause'],
      fill: async (root) => {
        await run('gcc', ['-static', '-Os', '-x', 'c', '-', '-o', join(root, 'pause')], { input: PAUSE_SOURCE });
      },
    },
    { names: [LAB_IMAGES.busybox], command: ['sh'], fill: fillBusybox },
    { names: [LAB_IMAGES.http], entrypoint: ['/server.sh'], fill: fillHttp },
    {
      names: [LAB_IMAGES.coredns],
      entrypoint: ['/coredns'],
      fill: async (root) => {
        await copyFile(coredns, join(root, 'coredns'));
        await chmod(join(root, 'coredns'), 0o755);
      },
    },
  ];
}

/** The archive with all images of the lab, built when it isn't in the cache. */
export function ensureImages(coredns: string, log: (line: string) => void): Promise<string> {
  const key = [PAUSE_SOURCE, HTTP_SERVER, ECHO_SCRIPT, JSON.stringify(LAB_IMAGES), coredns].join('\0');
  return ensureArchive({ recipes: recipes(coredns), key, log });
}
