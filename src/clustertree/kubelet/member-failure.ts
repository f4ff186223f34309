import { apiErrorOf } from '../../kube/api-error.js';
import type { ServerStream } from '../../kube/server-stream.js';
import { errorMessage } from '../../lib/errors.js';
import { EndpointError } from './endpoint.js';

/** A member's own words about a failure, whole. */
export interface MemberRefusal {
  readonly statusCode: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Longer refusals are cut. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Reads an answer that is no success, and closes it. */
export async function readRefusal(answer: ServerStream): Promise<MemberRefusal> {
  const chunks: Buffer[] = [];
  try {
    for (let size = 0; size < MAX_REFUSAL_BYTES;) {
      const chunk = await answer.read();
      if (chunk === undefined) break;
      chunks.push(chunk);
      size += chunk.length;
    }
  } finally {
    await answer.close();
  }
  const type = answer.headers['content-type'];
  return {
    statusCode: answer.statusCode,
    contentType: (Array.isArray(type) ? type[0] : type) ?? 'text/plain',
    body: Buffer.concat(chunks).subarray(0, MAX_REFUSAL_BYTES),
  };
}

/** Our credential was refused: the client's is not to blame, and must not be asked for again. */
export function credentialRefused(): EndpointError {
  return new EndpointError(502, "the member cluster refused the manager's credential");
}

/** What the member said, as the plain text that a kubelet would send. */
export function refusalError({ statusCode, body }: MemberRefusal): EndpointError {
  if (statusCode === 401) return credentialRefused();
  if (statusCode < 400) return new EndpointError(502, `the member cluster answered with HTTP ${statusCode}`);
  return new EndpointError(statusCode, apiErrorOf(statusCode, body.toString('utf8')).message);
}

/** The member gave no answer. */
export function unreachable(error: unknown): EndpointError {
  return new EndpointError(502, `the member cluster can not be reached: ${errorMessage(error)}`, { cause: error });
}
