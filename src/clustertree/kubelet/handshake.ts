import type { IncomingMessage } from 'node:http';
import type { AnswerHead, WireHeaders } from '../../kube/exchange.js';

/** The protocols that a session can be opened with. */
const PROTOCOLS: readonly string[] = ['SPDY/3.1', 'websocket'];

/** Request headers that are part of the handshake. No other header of a client ever reaches a member. */
const HANDSHAKE = [
  'x-stream-protocol-version',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
];

/** Answer headers of the handshake; `connection` and `upgrade` are made here. */
const HANDSHAKE_ANSWER = [
  'x-stream-protocol-version',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
];

/** A WebSocket client may hide a bearer token in the list of protocols; a member's API server would take it for ours. */
const TOKEN_PROTOCOL = /^base64url\.bearer\.authorization\.k8s\.io\./i;

/** The protocol that a request wants to switch to, as it is usually written; undefined when it isn't one of ours. */
export function wantedProtocol(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  const wanted = (request.headers.upgrade ?? '').trim().toLowerCase();
  return PROTOCOLS.find((protocol) => protocol.toLowerCase() === wanted);
}

/** The headers of a client's handshake, for the member; each line of a repeated header stays one of its own. */
export function handshakeHeaders(rawHeaders: readonly string[]): WireHeaders {
  const headers: Record<string, string[]> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i]?.toLowerCase() ?? '', rawHeaders[i + 1] ?? ''];
    if (!HANDSHAKE.includes(name)) continue;
    const kept = name === 'sec-websocket-protocol' ? withoutTokens(value) : value;
    if (kept !== '') (headers[name] ??= []).push(kept);
  }
  return headers;
}

function withoutTokens(protocols: string): string {
  const kept = protocols.split(',').map((protocol) => protocol.trim());
  return kept.filter((protocol) => !TOKEN_PROTOCOL.test(protocol)).join(', ');
}

/** The head of the answer that tells a client that the protocol is switched. */
export function switchedHead(protocol: string, headers: AnswerHead['headers']): string {
  const lines = HANDSHAKE_ANSWER.flatMap((name) => [headers[name] ?? []].flat().map((value) => `${name}: ${value}`));
  return ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${protocol}`, ...lines, '', ''].join(
    '\r\n',
  );
}

/** A whole answer that refuses to switch, after which the connection is closed. */
export function refusalMessage(statusCode: number, reason: string, contentType: string, body: Buffer): Buffer {
  const head = [
    `HTTP/1.1 ${statusCode} ${reason}`,
    'Connection: close',
    `Content-Type: ${/^[\x20-\x7e]+$/.test(contentType) ? contentType : 'text/plain'}`,
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}
