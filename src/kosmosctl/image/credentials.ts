import { join } from 'node:path';
import { Secret } from '../../kube/secret.js';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';
import { askHelper } from './credential-helper.js';
import { credentialKeys } from './reference.js';

/** What a registry is shown. */
export interface RegistryCredential {
  readonly username: string;
  readonly password: Secret;
  /** The password is a token to get others with (what docker calls an identity token). */
  readonly isRefreshToken: boolean;
}

/** `config.json` of docker, as far as it matters here. */
interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: unknown; readonly identitytoken?: unknown } | null>>;
  readonly credHelpers?: Readonly<Record<string, unknown>>;
  readonly credsStore?: unknown;
}

/** As helpers say that the secret is a refresh token. */
const TOKEN_USER = '<token>';

type World = Pick<CliContext, 'environment' | 'homeDirectory' | 'readFile' | 'signal'>;

/** The credential that `docker login` has kept for a registry; undefined when there is none. @throws CliError */
export async function findCredential(registry: string, world: World): Promise<RegistryCredential | undefined> {
  const config = readConfig(world);
  const helper = helperFor(config, registry);
  if (helper !== undefined) {
    for (const key of credentialKeys(registry)) {
      const answer = await askHelper(helper, key, world);
      if (answer !== undefined) return credentialOf(answer.username, answer.secret);
    }
  }
  for (const key of credentialKeys(registry)) {
    const entry = config.auths?.[key];
    if (typeof entry?.identitytoken === 'string' && entry.identitytoken !== '') {
      return credentialOf(TOKEN_USER, entry.identitytoken);
    }
    if (typeof entry?.auth === 'string' && entry.auth !== '') return decodeAuth(entry.auth);
  }
  return undefined;
}

function credentialOf(username: string, secret: string): RegistryCredential {
  return { username, password: new Secret(secret), isRefreshToken: username === TOKEN_USER };
}

/** `user:password` in base64; only the first colon divides. */
function decodeAuth(auth: string): RegistryCredential | undefined {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  // Docker pads with NUL.
  return colon < 1 ? undefined : credentialOf(text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, ''));
}

/** A helper of one registry comes before that of all. */
function helperFor({ credHelpers, credsStore }: DockerConfig, registry: string): string | undefined {
  const own = credentialKeys(registry).map((key) => credHelpers?.[key]);
  return [...own, credsStore].find((name) => typeof name === 'string' && name !== '') as string | undefined;
}

function readConfig({ environment, homeDirectory, readFile }: World): DockerConfig {
  const folder = environment['DOCKER_CONFIG'] ?? join(homeDirectory, '.docker');
  const path = join(folder, 'config.json');
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CliError(`${path} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`, {
      cause: error,
      cure: CURE,
    });
  }
  try {
    const config = JSON.parse(text) as DockerConfig | null;
    return config ?? {};
  } catch {
    // What the parser says quotes the file, which has passwords in it.
    throw new CliError(`${path} is no JSON`, { cure: CURE });
  }
}

const CURE = 'Correct the file, or name another folder for it with the variable DOCKER_CONFIG.';
