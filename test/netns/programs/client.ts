/**
 * `client.js tcp|udp HOST PORT BYTES` sends bytes to an echo server; the exit code is 0 when all came back unchanged.
 * `client.js http HOST PORT` prints what a server answers.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { connect } from 'node:net';

const [protocol, host = '', port = '', bytes = '0'] = process.argv.slice(2);
const payload = randomBytes(Number(bytes));
const LIMIT_MS = 20_000;

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function overTcp(): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), host);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.end(payload);
  });
}

function overUdp(): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', reject);
    socket.on('message', (message) => {
      socket.close();
      resolve(message);
    });
    socket.send(payload, Number(port), host);
  });
}

function overHttp(): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path: '/' }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve(body));
    });
    request.on('error', reject);
  });
}

async function isEchoed(): Promise<boolean> {
  return digest(await (protocol === 'tcp' ? overTcp() : overUdp())) === digest(payload);
}

const limit = setTimeout(() => process.exit(2), LIMIT_MS);
if (protocol === 'http') process.stdout.write(await overHttp());
else process.exitCode = (await isEchoed()) ? 0 : 1;
clearTimeout(limit);
