import { createSecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import type { ClusterAccess } from './cluster-access.js';
import type { ClientCertificate } from './credential.js';
import { buildConnector, Client, Pool, ProxyAgent } from './undici-parts.js';

export interface DispatcherOptions {
  /** Connections for requests; watches have their own. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
}

/** The connections to one API server under one client certificate. */
export interface Dispatchers {
  /** Shared by all requests. */
  readonly requests: Dispatcher;
  /** A new connection, for one watch; its owner destroys it. */
  openSingle(): Dispatcher;
}

/** Dead peers are found by the kernel after this time without traffic (plus its probes). */
const TCP_KEEP_ALIVE_MS = 30_000;

/** API servers close idle connections after 90 s; going first avoids most requests on a connection that just closed. */
const IDLE_MS = 60_000;

/** Time limits are the transport's business (it has a clock that tests can move); undici's own are switched off. */
const HTTP_OPTIONS = {
  pipelining: 1,
  allowH2: false,
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: IDLE_MS,
} as const;

/**
 * HTTP/1.1 only: over HTTP/2 one stalled TCP connection would stop all watches, and nothing was faster when measured.
 * TLS sessions are resumed among all connections made here.
 */
export function createDispatchers(
  access: ClusterAccess,
  clientCertificate: ClientCertificate | undefined,
  options: DispatcherOptions,
): Dispatchers {
  const { origin, hostname } = new URL(access.server);
  const tls = {
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    rejectUnauthorized: !access.insecureSkipTlsVerify,
    ...(access.tlsServerName !== undefined && { servername: access.tlsServerName }),
    // Made once: each connection would else parse the certificates again and keep them for itself.
    secureContext: createSecureContext({
      ...(access.certificateAuthority !== undefined && { ca: access.certificateAuthority }),
      ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key.reveal() }),
    }),
  };
  const { connections, connectTimeoutMs: timeout } = options;
  if (access.proxyUrl) {
    const uri = access.proxyUrl.reveal();
    // ProxyAgent takes the server name from here only; without one it would send none and check the wrong name.
    const requestTls = { servername: hostname, ...tls };
    const open = (count: number): Dispatcher =>
      new ProxyAgent({
        ...HTTP_OPTIONS,
        uri,
        requestTls,
        proxyTunnel: true,
        connectTimeout: timeout,
        connections: count,
      });
    return { requests: open(connections), openSingle: () => open(1) };
  }
  const connect = buildConnector({ ...tls, timeout, allowH2: false });
  return {
    requests: new Pool(origin, { ...HTTP_OPTIONS, connect, connections }),
    openSingle: () => new Client(origin, { ...HTTP_OPTIONS, connect }),
  };
}
