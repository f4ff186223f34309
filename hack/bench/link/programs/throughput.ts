/** `throughput.js serve PORT` takes what comes; `throughput.js send HOST PORT SECONDS` prints bytes per second. */
import { connect, createServer } from 'node:net';

const CHUNK = Buffer.alloc(1 << 20);
const [command, ...args] = process.argv.slice(2);

function serve(port: number): void {
  createServer((socket) => {
    let received = 0;
    socket.on('data', (chunk) => (received += chunk.length));
    socket.on('end', () => socket.end(String(received)));
    socket.on('error', () => socket.destroy());
  }).listen(port, '0.0.0.0', () => console.log('listening'));
}

/** What the other side says to have received, by the time that it took. */
function send(host: string, port: number, seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    const startedAt = performance.now();
    let answer = '';
    const write = (): void => {
      while (performance.now() - startedAt < seconds * 1000) if (!socket.write(CHUNK)) return;
      socket.end();
    };
    socket.on('connect', write);
    socket.on('drain', write);
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('end', () => resolve((Number(answer) / (performance.now() - startedAt)) * 1000));
    socket.on('error', reject);
  });
}

if (command === 'serve') serve(Number(args[0]));
else console.log(await send(args[0] ?? '', Number(args[1]), Number(args[2])));
