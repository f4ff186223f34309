import { readFile, writeFile, mkdtemp, rm, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MODULES } from './paths.js';
import { pinnedVersion, type Suite } from './programs.js';
import { run } from './run.js';
import { majorMinor, otherVersionGoMod } from './versions.js';

const BUILD_LIMIT_MS = 60 * 60_000;

/** What to build, and where to. */
export interface BuildRequest {
  readonly go: string;
  readonly suite: Suite;
  readonly version: string;
  /** Names of the suite's programs. */
  readonly programs: readonly string[];
  readonly folder: string;
}

function environment(cgo: boolean): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: cgo ? '1' : '0', GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' };
}

/** Linker flags: no debug tables, and for Kubernetes the version that its programs report. */
export function linkerFlags(suite: Suite, version: string): string {
  const flags = ['-s', '-w'];
  if (suite.path === 'k8s.io/kubernetes') {
    const [major, minor] = majorMinor(version);
    const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
    for (const [name, value] of Object.entries(values)) {
      flags.push('-X', `k8s.io/component-base/version.${name}=${value}`);
    }
    // client-go reports its own copy in the User-Agent of every request.
    flags.push('-X', `k8s.io/client-go/pkg/version.gitVersion=${version}`);
  }
  return flags.join(' ');
}

/** Writes go.mod and go.sum of another Kubernetes version into `folder`. */
async function writeOtherModule(go: string, version: string, folder: string): Promise<void> {
  const env = environment(false);
  const download = await run(go, ['mod', 'download', '-json', `k8s.io/kubernetes@${version}`], {
    cwd: '/',
    env,
    timeoutMs: BUILD_LIMIT_MS,
  });
  const { Dir: source } = JSON.parse(download.stdout) as { Dir: string };
  await writeFile(join(folder, 'go.mod'), otherVersionGoMod(version, await readFile(join(source, 'go.mod'), 'utf8')));
  await copyFile(join(source, 'go.sum'), join(folder, 'go.sum'));
  await run('chmod', ['u+w', join(folder, 'go.sum')]);
}

/** Builds programs into `folder` under their own names. */
export async function buildPrograms(request: BuildRequest): Promise<void> {
  const { go, suite, version, folder } = request;
  if (request.programs.length === 0) return;
  const pinned = version === pinnedVersion(suite);
  const module = pinned ? join(MODULES, suite.module) : await mkdtemp(join(folder, 'module-'));
  try {
    if (!pinned) await writeOtherModule(go, version, module);
    const tags = suite.tags.length > 0 ? ['-tags', suite.tags.join(',')] : [];
    for (const name of request.programs) {
      const target = suite.programs[name];
      if (target === undefined) throw new Error(`${suite.name} has no program ${name}`);
      const mode = pinned ? '-mod=readonly' : '-mod=mod';
      // Programs made of tests.
      const command = name.endsWith('.test') ? ['test', '-c', '-vet=off'] : ['build'];
      const flags = [...command, mode, '-trimpath', ...tags, '-ldflags', linkerFlags(suite, version)];
      const limits = { cwd: module, env: environment(suite.cgo), timeoutMs: BUILD_LIMIT_MS };
      await run(go, [...flags, '-o', join(folder, name), target], limits);
    }
  } finally {
    if (!pinned) await rm(module, { recursive: true, force: true });
  }
}

/** Folder with the sources of a suite's program. */
export async function sourcesOf(go: string, suite: Suite, name: string): Promise<string> {
  const options = { cwd: join(MODULES, suite.module), env: environment(suite.cgo), timeoutMs: BUILD_LIMIT_MS };
  const args = ['list', '-mod=readonly', '-f', '{{.Dir}}', suite.programs[name] ?? name];
  return (await run(go, args, options)).stdout.trim();
}

/** Joins the stage files of KWOK's module: since v0.8 the program has none built in. */
export async function writeKwokStages(go: string, file: string): Promise<void> {
  const module = join(MODULES, 'kwok');
  const options = { cwd: module, env: environment(false), timeoutMs: BUILD_LIMIT_MS };
  const listed = await run(go, ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok'], options);
  const stages = join(listed.stdout.trim(), 'kustomize/stage');
  const names = [
    'node/fast/node-initialize',
    'node/heartbeat-with-lease/node-heartbeat-with-lease',
    'pod/fast/pod-ready',
    'pod/fast/pod-complete',
    'pod/fast/pod-delete',
  ];
  const texts = await Promise.all(names.map((name) => readFile(join(stages, `${name}.yaml`), 'utf8')));
  await writeFile(file, texts.join('---\n'));
}

/** All released versions of Kubernetes, from the module proxy. */
export async function releasedVersions(go: string | undefined): Promise<string[]> {
  if (go === undefined) throw new Error('without Go give the full Kubernetes version, with its patch number');
  const options = { cwd: '/', env: environment(false), timeoutMs: 120_000 };
  const { stdout } = await run(go, ['list', '-m', '-versions', 'k8s.io/kubernetes'], options);
  return stdout.trim().split(/\s+/).slice(1);
}
