import { expect } from 'chai';
import { queryString, writeQuery } from '../../../src/kube/query.js';

describe('queryString', () => {
  it('is empty when nothing is defined', () => {
    expect(queryString({})).to.equal('');
    expect(queryString({ a: undefined })).to.equal('');
  });

  it('keeps the order, and escapes values', () => {
    expect(queryString({ labelSelector: 'a in (b, c),d!=e', limit: 5, watch: true, x: undefined })).to.equal(
      '?labelSelector=a%20in%20(b%2C%20c)%2Cd!%3De&limit=5&watch=true',
    );
  });

  it('keeps what is empty, zero or false', () => {
    expect(queryString({ a: '', b: 0, c: false })).to.equal('?a=&b=0&c=false');
  });
});

describe('writeQuery', () => {
  it('turns options into what the API server calls them', () => {
    expect(writeQuery({ dryRun: true, fieldManager: 'm', fieldValidation: 'Strict' }, { force: true })).to.equal(
      '?dryRun=All&fieldManager=m&fieldValidation=Strict&force=true',
    );
    expect(writeQuery({ dryRun: false, subresource: 'status' })).to.equal('');
  });
});
