import { Secret } from '../../kube/secret.js';
import type { CliContext } from '../context.js';
import { CliError, usageError } from '../failure.js';
import { findCredential, type RegistryCredential } from './credentials.js';
import type { RegistryOptions } from './registry-http.js';

/** How a registry is reached, as flags say it. */
export interface AccessFlags {
  readonly plainHttp: boolean;
  /** File in PEM. */
  readonly certificateAuthority: string | undefined;
  readonly username: string | undefined;
  readonly passwordStdin: boolean;
}

const LONGEST_PASSWORD = 1 << 16;

/** Everything about a registry but what is to be done there. @throws CliError when the flags don't fit together */
export async function readRegistryAccess(
  registry: string,
  flags: AccessFlags,
  context: CliContext,
): Promise<Omit<RegistryOptions, 'scopes'>> {
  const { environment, signal } = context;
  const given = await givenCredential(flags, context);
  return {
    ...{ registry, plainHttp: flags.plainHttp, environment, signal },
    certificateAuthority: readAuthority(flags.certificateAuthority, context),
    findCredential: () => (given === undefined ? findCredential(registry, context) : Promise.resolve(given)),
  };
}

async function givenCredential(
  { username, passwordStdin }: AccessFlags,
  context: CliContext,
): Promise<RegistryCredential | undefined> {
  if (username === undefined && !passwordStdin) return undefined;
  if (username === undefined) throw usageError('--password-stdin: whose password is it?', 'Add --username.');
  if (!passwordStdin) {
    throw usageError(
      '--username: where is the password?',
      'Add --password-stdin and send it there, or log in with docker.',
    );
  }
  const password = await readPassword(context);
  if (password === '') throw usageError('--password-stdin: no password came through the standard input');
  return { username, password: new Secret(password), isRefreshToken: false };
}

/** Everything up to the end of the input, without the end of the line that most programs add. */
async function readPassword({ input, signal }: CliContext): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input.read(signal)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST_PASSWORD) throw usageError('--password-stdin: what comes is too long for a password');
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

function readAuthority(path: string | undefined, { readFile }: CliContext): string | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw usageError(`--certificate-authority: ${path} can't be read (${code})`);
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new CliError(`--certificate-authority: ${path} has no certificate in it`, {
    cure: 'Name a file in PEM, with "-----BEGIN CERTIFICATE-----" in it.',
  });
}
