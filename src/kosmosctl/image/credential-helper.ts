import { execFile } from 'node:child_process';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';

const TIMEOUT_MS = 30_000;
const LONGEST_OUTPUT = 1 << 20;
/** What helpers print when they have nothing for a registry (docker-credential-helpers, credentials/error.go). */
const NOT_FOUND = /credentials not found/;

export interface HelperAnswer {
  readonly username: string;
  readonly secret: string;
}

/**
 * Asks one of docker's credential helpers, `docker-credential-NAME get`, for a registry. What it prints is never put into an
 * error: it may be the credential.
 *
 * @returns undefined when it has none
 * @throws CliError when it is missing, or fails
 */
export async function askHelper(
  name: string,
  registry: string,
  { environment, signal }: Pick<CliContext, 'environment' | 'signal'>,
): Promise<HelperAnswer | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) throw failure(`${program} is no name of a program`);
  const { output, error } = await run(program, registry, { environment, signal });
  if (error !== undefined) {
    if (NOT_FOUND.test(output)) return undefined;
    throw failure(error.code === 'ENOENT' ? `${program} is not there` : `${program} failed`, error);
  }
  try {
    const { Username: username = '', Secret: secret = '' } = JSON.parse(output) as Readonly<Record<string, string>>;
    return username === '' || secret === '' ? undefined : { username, secret };
  } catch {
    throw failure(`${program} printed something that is not JSON`);
  }
}

interface Ended {
  readonly output: string;
  readonly error: { readonly code?: string | number | null | undefined } | undefined;
}

function run(
  program: string,
  registry: string,
  { environment, signal }: Pick<CliContext, 'environment' | 'signal'>,
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...environment }, timeout: TIMEOUT_MS, maxBuffer: LONGEST_OUTPUT, signal };
    const child = execFile(program, ['get'], options, (error, output) =>
      resolve({ output, error: error ?? undefined }),
    );
    // One that has ended without reading has said why by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(registry);
  });
}

/** Without the cause: the text of a failed program has its output in it. */
function failure(message: string, { code }: { readonly code?: unknown } = {}): CliError {
  const suffix = typeof code === 'number' ? ` with exit code ${code}` : '';
  return new CliError(`${message}${suffix}`, {
    cure: 'It is named in config.json of docker. Mend it, or give --username and --password-stdin.',
  });
}
