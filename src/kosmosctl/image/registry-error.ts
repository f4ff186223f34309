import { errorMessage } from '../../lib/errors.js';
import { CliError } from '../failure.js';

/** An answer that is no success. */
export interface Refusal {
  readonly statusCode: number;
  /** The start of the body. */
  readonly text: string;
}

/** What was asked of which registry. */
export interface Asked {
  readonly registry: string;
  /** For instance `push to team/kosmos`. */
  readonly action: string;
  /** Who asked; undefined for nobody in particular. */
  readonly username: string | undefined;
}

const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const CERTIFICATE = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY/;
/** What TLS says when the other side speaks plain HTTP. */
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|EPROTO/;

/** A refusal in words, with what to do about it. */
export function explainRefusal({ statusCode, text }: Refusal, { registry, action, username }: Asked): CliError {
  const said = messageOf(text);
  if (statusCode === UNAUTHORIZED) {
    if (username === undefined) {
      return new CliError(`the registry ${registry} wants to know who you are`, {
        cure: `Add --username and --password-stdin, or log in first: docker login ${registry}`,
      });
    }
    return new CliError(`the registry ${registry} doesn't accept the password of ${username}`, {
      cure: 'Give the right --username and --password-stdin, or log in again with docker login.',
    });
  }
  if (statusCode === FORBIDDEN) {
    return new CliError(`the registry ${registry} doesn't let ${username ?? 'everybody'} ${action}${said}`, {
      cure: 'Use another user, or have the registry allow it.',
    });
  }
  return new CliError(`the registry ${registry} answers ${statusCode} when asked to ${action}${said}`);
}

/** A registry that gave no answer. */
export function explainNoAnswer(error: unknown, registry: string): CliError {
  const codes = codesOf(error).join(' ');
  if (NO_TLS.test(codes)) {
    return new CliError(`what answers at ${registry} speaks no TLS`, { cause: error, cure: 'Add --plain-http.' });
  }
  if (CERTIFICATE.test(codes)) {
    return new CliError(`the registry ${registry} shows a certificate that is not trusted: ${reasonOf(error)}`, {
      cause: error,
      cure: 'Name the authority that has signed it with --certificate-authority.',
    });
  }
  return new CliError(`the registry ${registry} can't be reached: ${reasonOf(error)}`, {
    cause: error,
    cure: 'Check its name and port, the network, and the variables HTTPS_PROXY and NO_PROXY.',
  });
}

/** Some errors of Node have a code and no words. */
function reasonOf(error: unknown): string {
  return errorMessage(error) || codesOf(error).join(' ');
}

function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const { code } = error as NodeJS.ErrnoException;
  const inner = error instanceof AggregateError ? error.errors.flatMap(codesOf) : codesOf(error.cause);
  return [...(code === undefined ? [] : [code]), ...inner];
}

/** What the registry itself says (distribution specification, "Error Codes"), or nothing. */
function messageOf(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { code?: unknown; message?: unknown }[] };
    const said = errors?.map(({ code, message }) =>
      [code, message].filter((part) => typeof part === 'string').join(' '),
    );
    return said === undefined || said.length === 0 ? '' : `: ${said.join('; ')}`;
  } catch {
    // A proxy's page, or nothing at all; the status is all there is to say.
    return '';
  }
}
