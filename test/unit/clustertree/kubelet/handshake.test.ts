import { expect } from 'chai';
import {
  handshakeHeaders,
  refusalMessage,
  switchedHead,
  wantedProtocol,
} from '../../../../src/clustertree/kubelet/handshake.js';

describe('wantedProtocol', () => {
  it('knows SPDY and WebSocket, in any case', () => {
    expect(wantedProtocol({ headers: { upgrade: 'spdy/3.1' } })).to.equal('SPDY/3.1');
    expect(wantedProtocol({ headers: { upgrade: 'WebSocket' } })).to.equal('websocket');
  });

  it('knows nothing else', () => {
    expect(wantedProtocol({ headers: { upgrade: 'h2c' } })).to.be.undefined;
    expect(wantedProtocol({ headers: { upgrade: 'websocket, h2c' } })).to.be.undefined;
    expect(wantedProtocol({ headers: {} })).to.be.undefined;
  });
});

describe('handshakeHeaders', () => {
  it('keeps each line of a repeated header', () => {
    const raw = ['X-Stream-Protocol-Version', 'v5.channel.k8s.io', 'x-stream-protocol-version', 'v4.channel.k8s.io'];
    expect(handshakeHeaders(raw)).to.deep.equal({
      'x-stream-protocol-version': ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    });
  });

  it('keeps what a WebSocket needs', () => {
    const headers = {
      'sec-websocket-key': ['a2V5'],
      'sec-websocket-version': ['13'],
      'sec-websocket-protocol': ['v5.channel.k8s.io'],
      'sec-websocket-extensions': ['permessage-deflate'],
    };
    expect(handshakeHeaders(Object.entries(headers).flatMap(([name, [value]]) => [name, value ?? '']))).to.deep.equal(
      headers,
    );
  });

  const smuggled = [
    ...['Authorization', 'Cookie', 'Impersonate-User', 'Impersonate-Group', 'Impersonate-Extra-Scopes'],
    ...['Impersonate-Uid', 'X-Remote-User', 'X-Remote-Group', 'X-Remote-Extra-A', 'X-Forwarded-For', 'Host'],
    ...['Content-Length', 'Transfer-Encoding', 'Proxy-Authorization', 'Connection', 'Upgrade', 'User-Agent'],
  ];
  for (const name of smuggled) {
    it(`does not let ${name} through`, () => expect(handshakeHeaders([name, 'x'])).to.deep.equal({}));
  }

  it('does not let a token through that hides among the protocols', () => {
    const token = 'base64url.bearer.authorization.k8s.io.c2VjcmV0';
    expect(handshakeHeaders(['Sec-WebSocket-Protocol', `${token}, v4.channel.k8s.io`])).to.deep.equal({
      'sec-websocket-protocol': ['v4.channel.k8s.io'],
    });
    expect(handshakeHeaders(['Sec-WebSocket-Protocol', token])).to.deep.equal({});
  });
});

describe('switchedHead', () => {
  it('tells the client what was agreed on, and nothing else', () => {
    const headers = {
      'x-stream-protocol-version': 'v4.channel.k8s.io',
      'sec-websocket-accept': ['abc'],
      'set-cookie': ['a=b'],
      date: 'today',
    };
    expect(switchedHead('SPDY/3.1', headers).split('\r\n')).to.deep.equal([
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: SPDY/3.1',
      'x-stream-protocol-version: v4.channel.k8s.io',
      'sec-websocket-accept: abc',
      '',
      '',
    ]);
  });
});

describe('refusalMessage', () => {
  it('is a whole answer', () => {
    const message = refusalMessage(404, 'Not Found', 'application/json', Buffer.from('{}')).toString();
    expect(message).to.match(/^HTTP\/1\.1 404 Not Found\r\nConnection: close\r\nContent-Type: application\/json\r\n/);
    expect(message).to.match(/\r\nContent-Length: 2\r\n\r\n\{\}$/);
  });

  it('takes no content type that could begin another header', () => {
    const message = refusalMessage(400, 'Bad Request', 'text/html\r\nX: y', Buffer.alloc(0)).toString();
    expect(message).to.include('Content-Type: text/plain\r\n');
  });
});
