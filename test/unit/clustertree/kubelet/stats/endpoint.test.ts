import { expect } from 'chai';
import express from 'express';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Member } from '../../../../../src/clustertree/cluster/member.js';
import { EndpointError, type NodeHandler, type ServedNode } from '../../../../../src/clustertree/kubelet/endpoint.js';
import { StatsEndpoint } from '../../../../../src/clustertree/kubelet/stats/endpoint.js';
import { clusterConfig, MemberHarness } from '../../../../support/member-harness.js';
import { kubeletText } from '../../../../support/stats.js';

const proxied = (path: string): string => `/api/v1/nodes/n1/proxy${path}`;

describe('StatsEndpoint', () => {
  let harness: MemberHarness;
  let member: Member | undefined;
  let server: Server;
  let signal: AbortSignal;

  beforeEach(async () => {
    harness = new MemberHarness();
    signal = harness.signal;
    member = harness.member({
      config: clusterConfig({ spec: { clusterTreeOptions: { statsSource: 'Kubelets' } } }),
      nodesBehind: () => [{ name: 'n1', ready: true }],
    });
    const endpoint = new StatsEndpoint({
      clock: harness.clock,
      observer: { source: () => undefined, missing: () => undefined },
    });
    const app = express();
    const get = (path: string, handler: NodeHandler): void =>
      void app.get(path, async (request, response) => {
        try {
          await handler(node(), { request, response, signal });
        } catch (error) {
          response.status(error instanceof EndpointError ? error.statusCode : 500).send((error as Error).message);
        }
      });
    const unused = (): void => expect.fail('only GET is served');
    endpoint.register({ get, post: unused, all: unused });
    await new Promise<void>((resolve) => {
      server = app.listen(0, '127.0.0.1', () => resolve());
    });
    harness.client.paths
      .set(proxied('/metrics/resource'), kubeletText({ seconds: 42, bytes: 1, timeMs: 1 }))
      .set(proxied('/stats/summary'), '{"node":{"nodeName":"n1","fs":{}},"pods":[]}')
      .set(proxied('/stats/summary?only_cpu_and_memory=true'), '{"node":{"nodeName":"n1"},"pods":[]}');
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await harness.end();
  });

  const node = (): ServedNode => ({
    ...{ name: 'kosmos-member1', cluster: 'member1', member, spec: undefined },
    hostPods: () => [],
    hostPod: () => undefined,
    memberPod: () => undefined,
  });

  async function get(path: string): Promise<{ status: number; type: string; text: string }> {
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() };
  }

  it('serves /metrics/resource as text of Prometheus', async () => {
    const { status, type, text } = await get('/metrics/resource');
    expect(status).to.equal(200);
    expect(type).to.match(/^text\/plain; version=0\.0\.4/);
    expect(text).to.contain('node_cpu_usage_seconds_total 42 1');
  });

  it('serves /stats/summary as JSON', async () => {
    const { status, type, text } = await get('/stats/summary');
    expect(status).to.equal(200);
    expect(type).to.match(/^application\/json/);
    expect(JSON.parse(text)).to.deep.equal({ node: { nodeName: 'kosmos-member1', fs: {} }, pods: [] });
  });

  it('serves the Summary of CPU and memory alone, by any value that Go takes for true', async () => {
    for (const value of ['true', '1', 'T']) {
      const { text } = await get(`/stats/summary?only_cpu_and_memory=${value}`);
      expect(JSON.parse(text)).to.deep.equal({ node: { nodeName: 'kosmos-member1' }, pods: [] });
    }
    const { text } = await get('/stats/summary?only_cpu_and_memory=yes');
    expect(JSON.parse(text)).to.have.nested.property('node.fs');
  });

  it('serves /metrics/cadvisor and /metrics/probes, empty without pods', async () => {
    for (const path of ['/metrics/cadvisor', '/metrics/probes']) {
      expect(await get(path)).to.deep.include({ status: 200, text: '' });
    }
  });

  it('says so when there is no connection to the member', async () => {
    member = undefined;
    const { status, text } = await get('/stats/summary');
    expect(status).to.equal(503);
    expect(text).to.contain('kosmos-member1');
  });

  it('keeps what it knows of a member for as long as the connection lasts', async () => {
    await get('/metrics/resource');
    await get('/metrics/resource');
    expect(harness.client.callsOf({ verb: 'getPath' })).to.have.length(1);
    member = { ...(member as Member) };
    await get('/metrics/resource');
    expect(harness.client.callsOf({ verb: 'getPath' })).to.have.length(2);
  });

  it('does not wait for the member when the client has gone', async () => {
    signal = AbortSignal.abort(new Error('the client has gone'));
    harness.client.intercept = ({ verb }) => (verb === 'getPath' ? new Promise(() => undefined) : undefined);
    expect(await get('/metrics/resource')).to.deep.include({ status: 500, text: 'the client has gone' });
    harness.client.intercept = undefined;
    await harness.clock.advance(8_000);
  });
});
