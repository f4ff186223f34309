import type { PeerCertificate, TLSSocket } from 'node:tls';
import { AUTHENTICATED_GROUP, type User } from './user.js';

type Peer = Pick<TLSSocket, 'authorized' | 'getPeerCertificate'>;

/**
 * The user that a client's certificate names: CN is the user, each O a group (Kubernetes' x509 request authenticator).
 * Undefined when there is no certificate, when it doesn't chain to the client authority or isn't for clients (TLS checked
 * both), when it has expired since, or when it names nobody.
 *
 * @param nowMs - wall-clock time; a connection may live longer than the certificate that opened it.
 */
export function certificateUser(socket: Peer, nowMs: number): User | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerCertificate() as Partial<PeerCertificate>;
  const { subject, valid_from: from = '', valid_to: to = '' } = certificate;
  if (!(Date.parse(from) <= nowMs && nowMs <= Date.parse(to))) return undefined;
  // Go takes the last CN, should there be several.
  const username = valuesOf(subject?.CN).at(-1) ?? '';
  return username === '' ? undefined : { username, groups: [...valuesOf(subject?.O), AUTHENTICATED_GROUP] };
}

/** Node gives a name that is there several times as a list, whatever its types say. */
function valuesOf(value: unknown): readonly string[] {
  return [value ?? []].flat().filter((item): item is string => typeof item === 'string');
}
