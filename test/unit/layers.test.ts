import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Lowest first: a folder may import itself and what stands before it. */
const layers = ['lib', 'apis', 'kube', 'runtime', 'pki', 'clustertree', 'clusterlink', 'scheduler', 'kosmosctl', 'bin'];

/** Inside a layer whose folders are features: feature -> the features it may import. */
const features: Record<string, Record<string, readonly string[]>> = {
  clustertree: {
    cluster: [],
    node: ['cluster'],
    pod: ['cluster'],
    config: ['cluster'],
    identity: ['cluster'],
    storage: ['cluster'],
    service: ['cluster'],
    daemonset: ['cluster'],
    kubelet: ['cluster'],
  },
  clusterlink: {
    cluster: [],
    planner: [],
    collector: ['cluster', 'planner'],
    delivery: ['cluster', 'planner'],
    elector: ['cluster'],
    agent: [],
    floater: ['agent'],
  },
};

/** Across layers: what may be imported of a lower layer whose folders are features; all of it where there is no entry. */
const shared: Record<string, Record<string, readonly string[]>> = {
  clusterlink: { clustertree: ['cluster'] },
};

const sourceRoot = resolve(import.meta.dirname, '../../../src');

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*'(\.[^']*)'/gm)].map((match) => match[1] ?? '');
  return specifiers.map((specifier) => relative(sourceRoot, resolve(dirname(file), specifier)));
}

function placeOf(file: string): [layer: string, feature: string] {
  const [layer = '', feature = ''] = file.split('/');
  return [layer, feature];
}

/** Why the import isn't allowed; undefined when it is. */
function violation(from: string, to: string): string | undefined {
  const [fromLayer, fromFeature] = placeOf(from);
  const [toLayer, toFeature] = placeOf(to);
  const fromRank = layers.indexOf(fromLayer);
  const toRank = layers.indexOf(toLayer);
  if (fromRank < 0) return `${from} is in no known layer`;
  if (toRank < 0) return `${from} imports ${to}, which is in no known layer`;
  if (toRank > fromRank) return `${from} imports ${to}, which is above it`;
  const isInside = fromLayer === toLayer;
  const allowed = isInside ? features[fromLayer]?.[fromFeature] : shared[fromLayer]?.[toLayer];
  if (allowed === undefined || (isInside && fromFeature === toFeature) || allowed.includes(toFeature)) return undefined;
  return `${from} imports the feature ${toFeature}`;
}

/** A way along imports from a file back to itself; undefined when there is none. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const imported of imports.get(file) ?? []) {
      const circle = visit(imported, [...way, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe('layers', () => {
  const files = sourceFiles(sourceRoot);

  it('finds the sources', () => {
    expect(files.length).to.be.greaterThan(10);
  });

  it('are imported downwards only', () => {
    const violations = files.flatMap((file) =>
      importsOf(file).flatMap((imported) => violation(relative(sourceRoot, file), imported) ?? []),
    );
    expect(violations).to.deep.equal([]);
  });

  it('have no files that import each other, be it for types alone', () => {
    const imports = files.map((file) => {
      const imported = importsOf(file).map((name) => name.replace(/\.js$/, '.ts'));
      return [relative(sourceRoot, file), imported] as const;
    });
    expect(circleIn(new Map(imports))).to.equal(undefined);
  });

  it('are told apart from circles', () => {
    const imports = new Map([
      ['a', ['b', 'c']],
      ['b', ['c']],
    ]);
    expect(circleIn(imports)).to.equal(undefined);
    expect(circleIn(imports.set('c', ['b']))).to.deep.equal(['b', 'c', 'b']);
  });

  it('are told apart', () => {
    expect(violation('kube/client.ts', 'runtime/controller.js')).to.match(/above it/);
    expect(violation('clustertree/pod/a.ts', 'clustertree/node/b.js')).to.match(/the feature node/);
    expect(violation('clustertree/pod/a.ts', 'clustertree/cluster/b.js')).to.equal(undefined);
    expect(violation('clustertree/cluster/a.ts', 'clustertree/pod/b.js')).to.match(/the feature pod/);
    expect(violation('clusterlink/elector/a.ts', 'clusterlink/planner/b.js')).to.match(/the feature planner/);
    expect(violation('clusterlink/cluster/a.ts', 'clustertree/cluster/b.js')).to.equal(undefined);
    expect(violation('clusterlink/pod/a.ts', 'clustertree/pod/b.js')).to.match(/the feature pod/);
    expect(violation('misc/a.ts', 'lib/b.js')).to.match(/no known layer/);
  });
});
