import { expect } from 'chai';
import { compileManagerOptions, type ManagerOptions } from '../../../src/bin/manager-options.js';
import { optionProblems } from '../../support/option-problems.js';

function compile(...flags: string[]): ManagerOptions {
  return compileManagerOptions({ flags, environment: {}, readFile: () => '' });
}

const problems = (...flags: string[]): readonly string[] => optionProblems(() => compile(...flags));

describe('compileManagerOptions', () => {
  it('has a value for everything that needs one', () => {
    const options = compile();
    expect(options).to.deep.include({ kubeletPort: 10250, healthPort: 8080, leaseDurationMs: 15_000, memberQps: 200 });
    expect(options.reservedNamespaces).to.deep.equal(['kube-system', 'kosmos-system']);
    expect(options.allowExecCredentials).to.equal(false);
  });

  it('takes an address of each family', () => {
    expect(compile('--kubelet-address', '198.18.0.1,2001:db8::1').kubeletAddress).to.have.length(2);
  });

  const wrong: { flags: string[]; says: RegExp }[] = [
    { flags: ['--kubelet-address', 'host.example'], says: /"host.example" is not an IP address/ },
    { flags: ['--kubelet-address', '198.18.0.1,198.18.0.2'], says: /two addresses of one family/ },
    { flags: ['--kubelet-service', 'manager'], says: /"manager" is not namespace\/name/ },
    { flags: ['--host-api-server', '198.18.0.1'], says: /"198.18.0.1" is not host:port/ },
    { flags: ['--token-renewal-percent', '100'], says: /1 to 95/ },
    { flags: ['--lease-duration', '5s', '--renew-deadline', '5s'], says: /--renew-deadline: must be shorter/ },
    { flags: ['--renew-deadline', '1s', '--retry-period', '2s'], says: /--retry-period: must be shorter/ },
    { flags: ['--modules', 'clusterlinks'], says: /clustertree, clusterlink/ },
    { flags: ['--health-port', '70000'], says: /0 to 65535/ },
  ];
  for (const { flags, says } of wrong) {
    it(`refuses ${flags.join(' ')}`, () => expect(problems(...flags).join('; ')).to.match(says));
  }

  it('reports all that is wrong at once', () => {
    expect(problems('--kubelet-port', '0', '--log-level', 'loud', '--nonsense')).to.have.length(3);
  });
});
