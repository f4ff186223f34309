import { expect } from 'chai';
import { parseStreamOptions } from '../../../hack/bench/streams/options.js';
import type { Transfer } from '../../../hack/bench/streams/paths.js';
import { renderStreams, summarize, type StreamSamples } from '../../../hack/bench/streams/result.js';
import { rewriteRequestLine } from '../../../hack/bench/streams/rewrite.js';

describe('options of the benchmark of streams', () => {
  it('have defaults that measure everything', () => {
    expect(parseStreamOptions([])).to.deep.equal({
      ...{ repeat: 5, pings: 500, sessions: 500, followed: 200 },
      ...{ json: false, instance: 'bench-streams', keep: false, inside: false },
    });
  });

  it('may leave parts out', () => {
    expect(parseStreamOptions(['--sessions', '0', '--followed', '0'])).to.include({ sessions: 0, followed: 0 });
  });
});

describe('the bare byte pipe', () => {
  function rewritten(text: string): string {
    return rewriteRequestLine(Buffer.from(text)).toString();
  }

  it('asks the member for the session that a kubelet was asked for', () => {
    expect(
      rewritten('POST /exec/bench/load-piped/main?command=cat&input=1 HTTP/1.1\r\nUpgrade: SPDY/3.1\r\n\r\n'),
    ).to.equal(
      'POST /api/v1/namespaces/bench/pods/load/exec?container=main&command=cat&stdin=true HTTP/1.1\r\nUpgrade: SPDY/3.1\r\n\r\n',
    );
  });

  it('asks for a log on a connection that is used once', () => {
    expect(rewritten('GET /containerLogs/bench/load-piped/main?follow=true HTTP/1.1\r\nHost: x\r\n\r\n')).to.equal(
      'GET /api/v1/namespaces/bench/pods/load/log?container=main&follow=true HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n',
    );
  });

  it('takes no other request', () => {
    expect(() => rewritten('GET http://x HTTP/1.1\r\n\r\n')).to.throw(/no path of a kubelet/);
  });
});

describe('the result of the benchmark of streams', () => {
  const transfers = (...seconds: readonly number[]): readonly Transfer[] =>
    seconds.map((s) => ({ mib: 100, seconds: s }));
  const samples: StreamSamples = {
    logs: { manager: transfers(2, 1, 4), pipe: transfers(1), direct: transfers(0.5) },
    exec: { manager: transfers(1, 1, 1), pipe: transfers(0.95), direct: transfers(0.5) },
    pingsMs: { manager: [1.2, 1, 1.1], pipe: [1], direct: [0.5] },
    cpuMs: { manager: 1_200, pipe: 400 },
    many: { sessions: 500, rssKibEach: 40 },
    followed: { pods: 200, linesEach: 300, incomplete: 0 },
  };

  it('compares medians with those of the pipe', () => {
    const result = summarize(samples);
    expect(result.logs).to.deep.equal({ manager: 50, pipe: 100, direct: 200 });
    expect(result.ratios).to.deep.equal({ logs: 0.5, exec: 0.95 });
    expect(result.execAddedP50Ms).to.equal(0.1);
    expect(result.cpuMsPerMib).to.deep.equal({ manager: 2, pipe: 2 });
  });

  it('is readable, with and without its parts', () => {
    const text = renderStreams(summarize(samples));
    expect(text).to.match(/500 sessions at once: 40 KiB each/);
    expect(text).to.match(/200 followed logs of 300 lines: 0 incomplete/);
    const short = renderStreams(summarize({ ...samples, many: undefined, followed: undefined }));
    expect(short).not.to.match(/at once|followed/);
  });
});
