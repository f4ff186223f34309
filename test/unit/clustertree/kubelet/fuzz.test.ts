import { expect } from 'chai';
import fc from 'fast-check';
import type { TLSSocket } from 'node:tls';
import { KubeletRig } from '../../../support/kubelet-rig.js';

/** Requests that are sent on one connection after the other; each is one case. */
const CASES = 10_000;
const BATCH = 25;

const words = fc.constantFrom(
  ...['exec', 'attach', 'portForward', 'containerLogs', 'pods', 'runningpods', 'healthz', 'configz', 'logs', 'stats'],
  ...['metrics', 'default', 'web', 'main', '..', '.', '', '%2e%2e', '..%2f', '%2f', '%00', '%', '%zz', 'kube-system'],
);
const segment = fc.oneof({ weight: 5, arbitrary: words }, { weight: 1, arbitrary: fc.webSegment() });
const path = fc.oneof(
  fc.array(segment, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`),
  fc.constantFrom('/exec/default/web/main', '/containerLogs/default/web/main', '*', 'http://x/pods', '//pods'),
);
const query = fc.oneof(
  fc.constantFrom('', '?command=sh&input=1', '?follow=true', '?tailLines=x', '?command=%ff&command=%', '?sinceTime=1'),
  fc.webQueryParameters().map((text) => `?${text}`),
);
/** Printable characters; what ends a line would begin another header, which is the next test. */
const value = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
const header = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      ...['Authorization', 'X-Remote-User', 'X-Remote-Group', 'Impersonate-User', 'Impersonate-Group', 'Cookie'],
      ...['X-Stream-Protocol-Version', 'Sec-WebSocket-Protocol', 'Sec-WebSocket-Key', 'X-Forwarded-For', 'Expect'],
      ...['Content-Type', 'Accept', 'Range', 'Origin', 'Via', 'Forwarded', 'Authorization '],
    ),
    fc.oneof(value, fc.constantFrom('Bearer admin', 'Bearer ', 'Basic YTph', 'system:masters', '100-continue')),
  ),
  fc.constantFrom<[string, string]>(
    ...([
      ['Connection', 'Upgrade'],
      ['Connection', 'close, X-Remote-User'],
      ['Upgrade', 'SPDY/3.1'],
      ['Upgrade', 'websocket'],
      ['Upgrade', 'h2c'],
      ['Content-Length', '0'],
      ['Content-Length', 'x'],
      ['Transfer-Encoding', 'chunked'],
      ['Host', 'other'],
    ] as [string, string][]),
  ),
);
const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'X', '');
const request = fc
  .record({ method, path, query, headers: fc.array(header, { maxLength: 5 }) })
  .map(({ method: verb, path: target, query: search, headers }) => {
    const lines = headers.map(([name, text]) => `${name}: ${text}`);
    return [`${verb} ${target}${search} HTTP/1.1`, 'Host: node', ...lines, '', ''].join('\r\n');
  });

describe('the kubelet API, given anything', () => {
  let rig: KubeletRig;
  let asked: number;

  before(async () => {
    rig = await KubeletRig.start();
    rig.streams.onStream = () => {
      throw new Error('no member in this test');
    };
    rig.streams.onUpgrade = rig.streams.onStream as unknown as typeof rig.streams.onUpgrade;
  });

  after(() => rig.close());

  beforeEach(() => {
    asked = rig.streams.requests.length;
  });

  /** Sends one request and returns the status codes that came back before the server closed or fell silent. */
  async function send(socket: TLSSocket, text: string): Promise<readonly number[]> {
    return new Promise((resolve) => {
      let answer = '';
      const finish = (): void => {
        socket.destroy();
        resolve([...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1])));
      };
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.once('close', finish);
      // Ending our side makes the server answer what it has got and close.
      socket.end(text);
    });
  }

  async function cases(
    count: number,
    identity: Parameters<KubeletRig['connect']>[0],
    check: (codes: readonly number[], text: string) => void,
  ): Promise<void> {
    const texts = fc.sample(request, { numRuns: count, seed: Date.now() });
    for (let i = 0; i < texts.length; i += BATCH) {
      const batch = texts.slice(i, i + BATCH);
      await Promise.all(batch.map(async (text) => check(await send(await rig.connect(identity), text), text)));
    }
  }

  it('lets nobody in who proves nothing, and never fails', async function () {
    this.timeout(180_000);
    await cases(CASES / 2, {}, (codes, text) => {
      for (const code of codes) expect([100, 400, 401, 417, 431], text).to.include(code);
    });
    expect(rig.streams.requests).to.have.length(asked);
    expect(rig.reviews.filter(({ spec }) => 'resourceAttributes' in spec)).to.deep.equal([]);
    expect((await rig.request('/healthz')).body).to.equal('ok');
  });

  it('answers somebody with all rights without an error of its own, and asks the member only for its pod', async function () {
    this.timeout(180_000);
    await cases(CASES / 2, rig.admin, (codes, text) => {
      // 502 is about the member, which is away in this test.
      for (const code of codes) expect(code === 502 || code < 500, `${code}: ${text}`).to.be.true;
    });
    for (const { path: asking, ...rest } of rig.streams.requests) {
      expect(asking).to.match(/^\/api\/v1\/namespaces\/default\/pods\/web\/(log|exec|attach|portforward)(\?|$)/);
      const names = 'headers' in rest ? Object.keys(rest.headers) : [];
      for (const name of names) expect(name).to.match(/^(x-stream-protocol-version|sec-websocket-[a-z]+)$/);
    }
    expect(rig.logs.filter((line) => line.includes('failed'))).to.deep.equal([]);
    expect((await rig.request('/healthz')).body).to.equal('ok');
  });
});
