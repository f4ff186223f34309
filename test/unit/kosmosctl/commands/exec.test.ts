import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { outcomeOf } from '../../../../src/kube/exec-stream.js';
import { pods } from '../../../../src/kube/resource.js';
import { CliFederation } from '../../../support/cli-federation.js';
import { typedInput } from '../../../support/cli-harness.js';
import { ExecServer } from '../../../support/exec-server.js';

const POD = {
  metadata: { namespace: 'shop', name: 'web' },
  spec: { containers: [{ name: 'a', image: 'i' }] },
};
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const RESIZE = 4;
const CLOSE = 255;

const exitStatus = (code: number): object => ({
  ...{ status: 'Failure', reason: 'NonZeroExitCode', message: `command terminated with exit code ${code}` },
  details: { causes: [{ reason: 'ExitCode', message: `${code}` }] },
});

describe('kosmosctl exec', () => {
  let federation: CliFederation;
  let server: ExecServer | undefined;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.host.seed(pods, POD);
    server = undefined;
  });

  afterEach(() => federation.close());

  /** What the API server does once the command has begun. */
  const onExec = (action: (server: ExecServer) => void): void => {
    federation.hostServer.upgrader = (request, socket) => {
      server = new ExecServer(request, socket);
      action(server);
    };
  };

  it('prints what the command prints, each where it belongs, and ends as it does', async () => {
    onExec((found) => {
      found.send(STDOUT, 'one ');
      found.send(STDERR, 'oops\n');
      found.send(STDOUT, 'two\n');
      found.end(exitStatus(7));
    });
    const { code, out, err } = await federation.run('exec web -n shop -- ls -l /tmp');
    expect({ code, out, err }).to.deep.equal({ code: 7, out: 'one two\n', err: 'oops\n' });
    expect(server?.protocols).to.equal('v5.channel.k8s.io');
    expect(server?.authorization).to.equal('Bearer token-of-somebody');
    expect(server?.query.toString()).to.equal(
      'container=a&stdout=true&stderr=true&command=ls&command=-l&command=%2Ftmp',
    );
  });

  it('passes the input on, to its end', async () => {
    const heard: (readonly [number, string])[] = [];
    onExec((found) => {
      found.onMessage = (channel, text) => {
        heard.push([channel, text]);
        if (channel === CLOSE) found.end({ status: 'Success' });
      };
    });
    const { code } = await federation.run('exec -i web -n shop -- cat', { input: typedInput('x'.repeat(5000)) });
    expect(code).to.equal(0);
    expect(heard).to.deep.equal([
      [STDIN, 'x'.repeat(5000)],
      [CLOSE, '\0'],
    ]);
    expect(server?.query.get('stdin')).to.equal('true');
  });

  it('is a terminal when asked to, which knows its size and gives it back in the end', async () => {
    const calls: string[] = [];
    let resized: () => void = () => undefined;
    let columns = 80;
    onExec((found) => {
      found.onMessage = (channel, text) => {
        if (channel === RESIZE) calls.push(text);
        if (columns === 80) {
          columns = 100;
          resized();
        } else found.end({ status: 'Success' });
      };
    });
    const input = typedInput('', {
      isTerminal: true,
      raw: () => {
        calls.push('raw');
        return () => void calls.push('cooked');
      },
      size: () => ({ columns, rows: 24 }),
      onResize: (listener) => {
        resized = listener;
        return () => void calls.push('stopped');
      },
    });
    const { code } = await federation.run('exec -t web -n shop -- sh', { input });
    expect(code).to.equal(0);
    expect(calls).to.deep.equal([
      ...['raw', '{"Width":80,"Height":24}', '{"Width":100,"Height":24}', 'stopped', 'cooked'],
    ]);
    expect(server?.query.get('stderr')).to.equal('false');
  });

  it('says why the command could not be run', async () => {
    onExec((found) => found.end({ status: 'Failure', reason: 'InternalError', message: 'no such file: nano' }));
    const { code, err } = await federation.run('exec web -n shop -- nano');
    expect(code).to.equal(1);
    expect(err).to.contain('error: the command could not be run: no such file: nano\nDoes the container have');
  });

  it('says that the connection broke', async () => {
    onExec((found) => found.cut());
    const { code, err } = await federation.run('exec web -n shop -- sleep 9');
    expect(code).to.equal(1);
    expect(err).to.contain('error: the connection broke before the command had ended');
  });

  it('says why the API server refused', async () => {
    const error = new ApiError(
      { message: 'pods "web" is forbidden', reason: 'Forbidden', code: 403 },
      { statusCode: 403 },
    );
    federation.host.fail({ verb: 'getPath', error, times: 2 });
    const { code, err } = await federation.run('exec web -n shop -- ls');
    expect(code).to.equal(1);
    expect(err).to.contain('refuses: pods "web" is forbidden').and.to.contain('cluster-admin');
  });

  it('needs a command, and a terminal for --tty', async () => {
    expect((await federation.run('exec web')).err).to.equal('error: which command is to run?\nAdd it after --.\n');
    const { code, err } = await federation.run('exec -t web -- sh');
    expect([code, err]).to.deep.equal([
      2,
      'error: --tty needs a terminal, and the standard input is none\nLeave out --tty.\n',
    ]);
  });

  it('ends when it is interrupted', async () => {
    const stop = new AbortController();
    onExec(() => stop.abort(new Error('interrupted')));
    expect((await federation.run('exec web -n shop -- sleep 9', { signal: stop.signal })).code).to.equal(130);
  });
});

describe('outcomeOf', () => {
  const table: readonly (readonly [string, string | undefined, object])[] = [
    ['success', '{"status":"Success"}', { kind: 'ended', exitCode: 0 }],
    ['an exit code', JSON.stringify(exitStatus(3)), { kind: 'ended', exitCode: 3 }],
    ['any other failure', '{"status":"Failure","message":"m"}', { kind: 'failed', message: 'm' }],
    ['silence', undefined, { kind: 'broken' }],
  ];
  for (const [what, text, outcome] of table) {
    it(`understands ${what}`, () => {
      expect(outcomeOf(text)).to.deep.equal(outcome);
    });
  }
});
