import { expect } from 'chai';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGE_LAYOUT } from '../../hack/image/oci.js';
import { imageRecipes } from '../../hack/image/roots.js';
import { run } from '../../hack/lab/run.js';
import { AGENT_CAPABILITIES, AGENT_COMMAND } from '../../src/kosmosctl/manifests/agent.js';

const AGENT = AGENT_COMMAND.join(' ');
const bounds = AGENT_CAPABILITIES.map((name) => `+${name.toLowerCase()}`).join(',');

describe('the agent of the image', () => {
  let root: string;

  before(async function () {
    this.timeout(60_000);
    root = mkdtempSync(join(tmpdir(), 'kosmos-root-'));
    chmodSync(root, 0o755);
    for (const { fill } of (await imageRecipes('0')).layers) await fill(root);
  });

  after(() => rmSync(root, { recursive: true }));

  /** Runs a script in a network of its own; `$IN_IMAGE` runs a command as the DaemonSet does. */
  async function inNetwork(script: string): Promise<string> {
    const inImage = `setpriv --bounding-set=-all,+sys_chroot,${bounds} chroot ${root}`;
    const { stdout } = await run('unshare', ['--net', 'sh', '-euc', script], {
      env: { ...process.env, IN_IMAGE: inImage, AGENT },
    });
    return stdout;
  }

  it('has all that it needs to change the network, with no more rights than the DaemonSet gives it', async () => {
    const left = await inNetwork(`
      ip link add name eth0 type veth peer name eth1
      ip link add name vx-bridge type vxlan id 54 dstport 4876 dev eth0
      ip link set vx-bridge alias kosmos
      ip link set lo up
      ip route add table 200 198.18.0.0/16 dev lo proto 98
      nft add table inet kosmos
      $IN_IMAGE $AGENT uninstall --state-dir /tmp/state >&2
      ip -o link | cut -d: -f2
      ip route show table 200 2>/dev/null || true
      nft list tables`);
    expect(left).to.contain('eth0').and.not.contain('vx-bridge').and.not.contain('198.18').and.not.contain('kosmos');
  });

  it('answers connectivity checks as nobody special', async () => {
    const answer = await inNetwork(`
      ip link set lo up
      chroot --userspec=65532:65532 ${root} $AGENT floater --node-name here >&2 &
      pid=$!
      for _ in $(seq 50); do
        curl -sS http://127.0.0.1:8889/ 2>/dev/null && break
        sleep 0.1
      done
      kill $pid`);
    expect(answer).to.contain('here');
  });

  it('finds no shell there', async () => {
    const outcome = await run('chroot', [root, '/bin/sh', '-c', 'true'], { allowFailure: true });
    expect(outcome.code).to.equal(127);
    expect(IMAGE_LAYOUT.nft).to.equal('/usr/local/bin/nft');
  });
});
