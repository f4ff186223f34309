import { expect } from 'chai';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Floater, type FloaterPorts } from '../../../../src/clusterlink/floater/floater.js';
import { silentLogger } from '../../../../src/lib/logger.js';

describe('Floater', () => {
  let floater: Floater;
  let ports: FloaterPorts;

  beforeEach(async () => {
    const any = { httpPort: 0, tcpPort: 0, udpPort: 0 };
    floater = new Floater({ address: '127.0.0.1', ...any, nodeName: 'n1', logger: silentLogger });
    ports = await floater.listen();
  });

  afterEach(() => floater.close());

  it('tells who asked whom', async () => {
    const response = await fetch(`http://127.0.0.1:${ports.http}/any`);
    expect(await response.json()).to.deep.equal({ node: 'n1', client: '127.0.0.1', server: '127.0.0.1' });
  });

  it('sends back what comes by TCP', async () => {
    const socket = connect(ports.tcp, '127.0.0.1');
    socket.end('some words');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).to.equal('some words');
  });

  it('sends back what comes by UDP', async () => {
    const socket = createSocket('udp4');
    socket.send('some words', ports.udp, '127.0.0.1');
    const [message] = (await once(socket, 'message')) as [Buffer];
    socket.close();
    expect(message.toString()).to.equal('some words');
  });

  it('ends with connections open', async () => {
    const any = { httpPort: 0, tcpPort: 0, udpPort: 0 };
    const other = new Floater({ address: '127.0.0.1', ...any, nodeName: 'n2', logger: silentLogger });
    const socket = connect((await other.listen()).tcp, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    await other.close();
    await closed;
    expect(socket.destroyed).to.equal(true);
  });

  it('says when a port is taken', async () => {
    const options = { address: '127.0.0.1', httpPort: ports.http, tcpPort: 0, udpPort: 0 };
    const other = new Floater({ ...options, nodeName: 'n2', logger: silentLogger });
    let caught: unknown;
    await other.listen().catch((error: unknown) => (caught = error));
    expect(caught).to.have.property('code', 'EADDRINUSE');
    await other.close();
  });
});
