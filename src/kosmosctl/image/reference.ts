/** Where an image is in a registry. */
export interface ImageReference {
  /** `host` or `host:port`. */
  readonly registry: string;
  readonly repository: string;
  /** A tag, or a digest. */
  readonly reference: string;
}

/** What names without a registry are in, and where its API is. */
const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_API = 'registry-1.docker.io';

const REGISTRY = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d+)?$/i;
const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PART}(?:/${PART})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
/** The only algorithm that registries use in practice. */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** A name without tag or digest gets this tag. @returns undefined when the text can't be the name of an image */
export function parseReference(text: string, defaultTag = 'latest'): ImageReference | undefined {
  const [named = '', digest, ...more] = text.split('@');
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const path = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : defaultTag;
  const { registry, repository } = splitPath(path);
  const isGood = isHost(registry) && REPOSITORY.test(repository) && TAG.test(tag);
  if (!isGood || more.length > 0 || (digest !== undefined && !isDigest(digest))) return undefined;
  return { registry, repository, reference: digest ?? tag };
}

/** With a port that there is, and an address that is one. */
function isHost(registry: string): boolean {
  return REGISTRY.test(registry) && URL.canParse(`https://${registry}`);
}

/** The first part is a registry when it can't be one of a repository; that is how all engines tell them apart. */
function splitPath(path: string): Pick<ImageReference, 'registry' | 'repository'> {
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  if (/[.:]/.test(first) || first === 'localhost') return { registry: first, repository: path.slice(slash + 1) };
  return { registry: DOCKER_HUB, repository: slash < 0 ? `library/${path}` : path };
}

/** The name as commands take it. */
export function renderReference({ registry, repository, reference }: ImageReference): string {
  return `${registry}/${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
}

/** Host and port of the API of a registry. */
export function apiHost(registry: string): string {
  return registry === DOCKER_HUB ? DOCKER_HUB_API : registry;
}

/** Keys under which `docker login` keeps the credential of a registry. */
export function credentialKeys(registry: string): readonly string[] {
  const hub = registry === DOCKER_HUB ? ['https://index.docker.io/v1/', 'index.docker.io'] : [];
  return [...hub, registry, `https://${registry}`, `http://${registry}`, `https://${registry}/v1/`];
}
