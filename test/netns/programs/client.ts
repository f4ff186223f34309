/**
 * `client.js tcp|udp HOST[,HOST...] PORT BYTES` sends bytes to echo servers; the exit code is 0 when all came back
 * unchanged, and those that did not are named.
 * `client.js http HOST PORT` prints what a server answers.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { connect } from 'node:net';

const [protocol, hosts = '', port = '', bytes = '0'] = process.argv.slice(2);
const [host = ''] = hosts.split(',');
const payload = randomBytes(Number(bytes));
const LIMIT_MS = 20_000;
/** A datagram may be lost; many may not. */
const RESEND_MS = 1_000;
const DATAGRAMS = 3;

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function overTcp(target: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), target);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.end(payload);
  });
}

function overUdp(target: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(target.includes(':') ? 'udp6' : 'udp4');
    let sent = 0;
    const send = (): void => {
      if (sent === DATAGRAMS) end(() => reject(new Error(`${target} does not answer`)));
      else socket.send(payload, Number(port), target);
      sent += 1;
    };
    const resending = setInterval(send, RESEND_MS);
    const end = (then: () => void): void => {
      clearInterval(resending);
      socket.close();
      then();
    };
    socket.on('error', (error) => end(() => reject(error)));
    socket.on('message', (message) => end(() => resolve(message)));
    send();
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

async function isEchoed(target: string): Promise<boolean> {
  return digest(await (protocol === 'tcp' ? overTcp(target) : overUdp(target))) === digest(payload);
}

/** Hosts that did not send back what they got. */
async function silent(): Promise<readonly string[]> {
  const answers = await Promise.all(
    hosts.split(',').map(async (target) => [target, await isEchoed(target).catch(() => false)] as const),
  );
  return answers.flatMap(([target, answered]) => (answered ? [] : [target]));
}

const limit = setTimeout(() => process.exit(2), LIMIT_MS);
if (protocol === 'http') process.stdout.write(await overHttp());
else {
  const missing = await silent();
  if (missing.length > 0) process.stderr.write(`not echoed by ${missing.join(', ')}\n`);
  process.exitCode = missing.length === 0 ? 0 : 1;
}
clearTimeout(limit);
