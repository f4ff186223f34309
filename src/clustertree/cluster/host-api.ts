import { isIPv6 } from 'node:net';
import { isDnsSubdomain } from '../../lib/label-syntax.js';

/** Where member pods reach the host's API server, instead of the ClusterIP of the Service `default/kubernetes`. */
export interface HostApiAddress {
  /** IP address or DNS name; the server's certificate must be good for it. */
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port`; an IPv6 address stands in brackets. Undefined when the text is neither. */
export function parseHostApiAddress(text: string): HostApiAddress | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (port < 1 || port > 65535) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  return plain !== undefined && isDnsSubdomain(plain) ? { host: plain, port } : undefined;
}
