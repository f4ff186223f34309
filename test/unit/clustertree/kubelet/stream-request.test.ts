import { expect } from 'chai';
import {
  memberSessionPath,
  opensSession,
  parseSessionPath,
  type SessionPath,
} from '../../../../src/clustertree/kubelet/stream-request.js';
import { parseTarget, type RequestTarget } from '../../../../src/clustertree/kubelet/target.js';

function target(path: string): RequestTarget {
  const parsed = parseTarget(path);
  if (parsed === undefined) throw new Error(`${path} is no plain path`);
  return parsed;
}

const EXEC: SessionPath = { kind: 'exec', namespace: 'default', pod: 'web', uid: undefined, container: 'main' };

describe('parseSessionPath', () => {
  it('reads exec', () => expect(parseSessionPath(target('/exec/default/web/main'))).to.deep.equal(EXEC));

  it('reads exec with a UID', () => {
    expect(parseSessionPath(target('/exec/default/web/1-2/main'))).to.deep.equal({ ...EXEC, uid: '1-2' });
  });

  it('reads attach', () => {
    expect(parseSessionPath(target('/attach/default/web/main'))).to.deep.equal({ ...EXEC, kind: 'attach' });
  });

  it('reads port-forward, with and without a UID', () => {
    const wanted = { kind: 'portForward', namespace: 'default', pod: 'web.a', uid: undefined, container: undefined };
    expect(parseSessionPath(target('/portForward/default/web.a'))).to.deep.equal(wanted);
    expect(parseSessionPath(target('/portForward/default/web.a/1-2'))).to.deep.equal({ ...wanted, uid: '1-2' });
  });

  for (const path of [
    '/pods',
    '/exec',
    '/exec/default',
    '/exec/default/web',
    '/exec/default/web/uid/main/more',
    '/exec/Default/web/main',
    '/exec/default/we_b/main',
    '/exec/default/web/ma.in',
    '/exec/default/web/%20',
    '/portForward/default',
    '/portForward/default/web/uid/more',
    '/EXEC/default/web/main',
    '/portforward/default/web',
  ]) {
    it(`does not take ${path}`, () => expect(parseSessionPath(target(path))).to.be.undefined);
  }
});

describe('opensSession', () => {
  it('goes by the first segment, so that a bad path is checked as a session too', () => {
    expect(opensSession(target('/exec/x'))).to.be.true;
    expect(opensSession(target('/attach'))).to.be.true;
    expect(opensSession(target('/portForward/a/b'))).to.be.true;
    expect(opensSession(target('/pods'))).to.be.false;
    expect(opensSession(target('/containerLogs/exec/b/c'))).to.be.false;
  });
});

describe('memberSessionPath', () => {
  it('renames the streams and keeps the words of the command in order', () => {
    const query = 'command=sh&command=-c&command=echo+%22a%26b%22&error=1&input=1&output=1&tty=1';
    expect(memberSessionPath(EXEC, query)).to.equal(
      '/api/v1/namespaces/default/pods/web/exec?container=main' +
        '&command=sh&command=-c&command=echo+%22a%26b%22&stderr=true&stdin=true&stdout=true&tty=true',
    );
  });

  it('keeps bytes that are no text', () => {
    expect(memberSessionPath(EXEC, 'command=%ff%00')).to.match(/&command=%ff%00$/);
  });

  it('leaves streams out that are not wanted', () => {
    expect(memberSessionPath(EXEC, 'input=0&output=true&error=')).to.equal(
      '/api/v1/namespaces/default/pods/web/exec?container=main',
    );
  });

  it('lets no other container, and no other parameter, in', () => {
    expect(memberSessionPath(EXEC, 'container=other&stdin=true&output=1&x=y')).to.equal(
      '/api/v1/namespaces/default/pods/web/exec?container=main&stdout=true',
    );
  });

  it('takes no command for attach', () => {
    expect(memberSessionPath({ ...EXEC, kind: 'attach' }, 'command=sh&output=1')).to.equal(
      '/api/v1/namespaces/default/pods/web/attach?container=main&stdout=true',
    );
  });

  it('names the ports of a WebSocket client', () => {
    const session: SessionPath = { ...EXEC, kind: 'portForward', container: undefined };
    const root = '/api/v1/namespaces/default/pods/web/portforward';
    expect(memberSessionPath(session, 'port=80,81&port=8080')).to.equal(`${root}?ports=80&ports=81&ports=8080`);
    expect(memberSessionPath(session, '')).to.equal(root);
    expect(memberSessionPath(session, 'port=a&port=%zz&port=123456&ports=1')).to.equal(root);
  });
});
