import { Agent, WebSocket } from 'undici';
import { readAccess } from '../../hack/lab/kubeconfig.js';

const PROTOCOL = 'binary.k8s.io';

/** Everything that an API server sends over a WebSocket at a path, until it closes. */
export async function readOverWebSocket(kubeconfig: string, path: string): Promise<string> {
  const { server, ca, cert, key } = readAccess(kubeconfig);
  const dispatcher = new Agent({ connect: { ca, cert, key } });
  const url = `${server.replace('https:', 'wss:')}${path}`;
  try {
    return await new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { protocols: [PROTOCOL], dispatcher });
      socket.binaryType = 'arraybuffer';
      let text = '';
      socket.addEventListener('message', ({ data }) => (text += Buffer.from(data as ArrayBuffer).toString()));
      socket.addEventListener('error', () => reject(new Error(`no WebSocket at ${path}`)));
      socket.addEventListener('close', () => resolve(text));
    });
  } finally {
    await dispatcher.destroy();
  }
}
