import { expect } from 'chai';
import { compileAgentOptions, splitCommand } from '../../../src/bin/agent-options.js';

function compile(
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ReturnType<typeof compileAgentOptions> {
  const { command, flags: rest } = splitCommand(flags);
  return compileAgentOptions({ flags: rest, environment, readFile: () => '' }, command);
}

describe('options of the agent', () => {
  it('run it unless another command is given', () => {
    expect(splitCommand(['--log-level', 'debug'])).to.deep.equal({ command: 'run', flags: ['--log-level', 'debug'] });
    expect(splitCommand(['uninstall', '--state-dir', '/x'])).to.deep.equal({
      command: 'uninstall',
      flags: ['--state-dir', '/x'],
    });
    expect(splitCommand([])).to.deep.equal({ command: 'run', flags: [] });
  });

  it('need the name of the Cluster, from a flag or the environment, or a file', () => {
    expect(() => compile([])).to.throw('--cluster-name: is needed');
    expect(compile(['--cluster-name', 'east']).clusterName).to.equal('east');
    expect(compile([], { KOSMOS_CLUSTER_NAME: 'east' }).clusterName).to.equal('east');
    expect(compile([], { CLUSTER_NAME: 'east' }).clusterName).to.equal(undefined);
    expect(compile(['--node-config', '/x']).nodeConfig).to.equal('/x');
  });

  it('need none for what is done without a config', () => {
    expect(compile(['uninstall']).stateDir).to.equal('/var/lib/kosmos/agent');
    expect(compile(['floater']).floaterTcpPort).to.equal(8890);
  });

  it('refuse what they do not know', () => {
    expect(() => compile(['--node-config', '/x', '--unknown'])).to.throw('unknown flag --unknown');
    expect(() => compile(['floater', 'east'])).to.throw('unexpected argument "east"');
  });
});
