import { fingerprintOf, type ClusterAccess } from './cluster-access.js';
import type { AuthMaterial, Credential } from './credential.js';

/** A credential that can be exchanged for another while connections stay open. */
export class ReplaceableCredential implements Credential {
  #credential: Credential;

  constructor(credential: Credential) {
    this.#credential = credential;
  }

  /** Requests from now on show this one. */
  replace(credential: Credential): void {
    this.#credential = credential;
  }

  current(signal: AbortSignal): Promise<AuthMaterial> {
    return this.#credential.current(signal);
  }

  refused(material: AuthMaterial): void {
    this.#credential.refused(material);
  }
}

/** Whether both lead to the same server in the same way, whoever asks. */
export function isSameServer(one: ClusterAccess, other: ClusterAccess): boolean {
  return serverFingerprint(one) === serverFingerprint(other);
}

function serverFingerprint(access: ClusterAccess): string {
  const { server, certificateAuthority, tlsServerName, insecureSkipTlsVerify, proxyUrl, impersonation } = access;
  const parts = [server, certificateAuthority, tlsServerName, insecureSkipTlsVerify, proxyUrl?.reveal(), impersonation];
  // A list keeps nothing in the place of what is missing.
  return fingerprintOf(parts.map((part) => part ?? null));
}
