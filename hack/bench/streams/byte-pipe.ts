/**
 * A bare TLS byte pipe in the place of the manager, to compare with: it rewrites the first line of a connection's request,
 * connects to the member's API server and copies bytes. Arguments: address, port, certificate, key, kubeconfig of the member.
 */
import { readFileSync } from 'node:fs';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { readAccess } from '../../lab/kubeconfig.js';
import { rewriteRequestLine } from './rewrite.js';

const [address = '', port = '', certificate = '', key = '', kubeconfig = ''] = process.argv.slice(2);

const { server, token: _token, ...credential } = readAccess(kubeconfig);
const { hostname: host, port: memberPort } = new URL(server);
const member = { host, port: Number(memberPort), ...credential, ALPNProtocols: ['http/1.1'] };

function pipe(client: TLSSocket): void {
  client.once('data', (first: Buffer) => {
    client.pause();
    const upstream = connect(member, () => {
      upstream.setNoDelay(true);
      upstream.write(rewriteRequestLine(first));
      client.pipe(upstream);
      upstream.pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
}

createServer(
  { cert: readFileSync(certificate), key: readFileSync(key), ALPNProtocols: ['http/1.1'], noDelay: true },
  pipe,
).listen(Number(port), address);
