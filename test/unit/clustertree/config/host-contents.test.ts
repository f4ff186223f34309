import { expect } from 'chai';
import { HostContents } from '../../../../src/clustertree/config/host-contents.js';
import { CONFIG_MAP_KIND, SECRET_KIND, type Content } from '../../../../src/clustertree/config/kinds.js';
import { configMaps } from '../../../../src/kube/resource.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { apiError } from '../../../support/member-harness.js';

const REF = { namespace: 'shop', name: 'settings' };
const KEY = 'shop/settings';

describe('HostContents', () => {
  let host: FakeKubeClient;
  let contents: HostContents;
  const { signal } = new AbortController();

  beforeEach(() => {
    host = new FakeKubeClient();
    contents = new HostContents(host);
    host.seed(configMaps, { metadata: REF, data: { a: '1' } });
  });

  const version = (): string | undefined => host.peek(configMaps, REF)?.metadata?.resourceVersion;
  const get = (wanted: string | undefined): Promise<Content | undefined> =>
    contents.get(CONFIG_MAP_KIND, KEY, wanted, signal);
  const reads = (): number => host.callsOf({ verb: 'get' }).length;

  it('reads an object once, until there is a newer version', async () => {
    expect((await get(version()))?.data).to.deep.equal({ a: '1' });
    await get(version());
    expect(reads()).to.equal(1);
    host.edit(configMaps, REF, { data: { a: '2' } });
    expect((await get(version()))?.data).to.deep.equal({ a: '2' });
    expect(reads()).to.equal(2);
  });

  it('has what is newer than the caller has heard of', async () => {
    const old = version();
    host.edit(configMaps, REF, { data: { a: '2' } });
    await get(old);
    expect((await get(old))?.data).to.deep.equal({ a: '2' });
    expect(reads()).to.equal(1);
  });

  it('shares a read that is under way', async () => {
    await Promise.all([get(version()), get(version()), get(undefined)]);
    expect(reads()).to.equal(1);
  });

  it('reads again when one that was under way has come too early', async () => {
    const early = get(version());
    host.edit(configMaps, REF, { data: { a: '2' } });
    const late = get('99');
    expect((await early)?.data).to.not.be.undefined;
    await late;
    expect(reads()).to.equal(2);
  });

  it('reads in any case for one who has heard of nothing', async () => {
    await get(version());
    await get(undefined);
    expect(reads()).to.equal(2);
  });

  it('has nothing of an object that is gone, and does not remember it', async () => {
    await get(version());
    host.erase(configMaps, REF);
    expect(await get('99')).to.be.undefined;
    expect(await get(undefined)).to.be.undefined;
  });

  it('tells kinds apart', async () => {
    await get(version());
    expect(await contents.get(SECRET_KIND, KEY, version(), signal)).to.be.undefined;
  });

  it('passes failures on, and tries again the next time', async () => {
    host.fail({ verb: 'get', error: apiError(503, 'ServiceUnavailable') });
    expect(await get(version()).catch((error: unknown) => error)).to.have.property('statusCode', 503);
    expect((await get(version()))?.data).to.deep.equal({ a: '1' });
  });

  it('can be given up by one caller while another goes on', async () => {
    const stop = new AbortController();
    const given = contents.get(CONFIG_MAP_KIND, KEY, version(), stop.signal).catch((error: unknown) => error);
    const other = get(version());
    stop.abort(new Error('enough'));
    expect(await given).to.have.property('message', 'enough');
    expect((await other)?.data).to.deep.equal({ a: '1' });
  });
});
