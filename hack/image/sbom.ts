import { createHash } from 'node:crypto';
import type { ProductionPackage } from './packages.js';

/** A library of the machine that went into the image, with the Debian package that it is from. */
export interface SystemPackage {
  readonly name: string;
  readonly version: string;
}

export interface SbomInput {
  readonly version: string;
  readonly nodeVersion: string;
  readonly packages: readonly ProductionPackage[];
  readonly systemPackages: readonly SystemPackage[];
}

/** What is in the image, as CycloneDX 1.5. It has neither a time nor a random number, so that builds stay the same. */
export function renderSbom(input: SbomInput): string {
  const components = [
    component('application', 'node', input.nodeVersion, `pkg:generic/node@${input.nodeVersion}`),
    ...input.systemPackages.map(({ name, version }) =>
      component('library', name, version, `pkg:deb/debian/${name}@${encodeURIComponent(version)}`),
    ),
    ...input.packages.map(({ name, version, license, integrity }) => ({
      ...component('library', name, version, `pkg:npm/${name.replace('@', '%40')}@${version}`),
      ...(license !== '' && { licenses: [{ expression: license }] }),
      ...(integrity.startsWith('sha512-') && { hashes: [{ alg: 'SHA-512', content: hexOf(integrity) }] }),
    })),
  ];
  const unique = [...new Map(components.map((entry) => [entry['bom-ref'], entry])).values()];
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(unique))}`,
    version: 1,
    metadata: { component: component('container', 'kosmos', input.version, `pkg:oci/kosmos@${input.version}`) },
    components: unique,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

interface Component {
  readonly type: string;
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

function component(type: string, name: string, version: string, purl: string): Component {
  return { type, 'bom-ref': purl, name, version, purl };
}

function hexOf(integrity: string): string {
  return Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex');
}

/** A UUID of version 8 (RFC 9562) made from the content. */
function uuidOf(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
