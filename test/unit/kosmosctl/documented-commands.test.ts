import { expect } from 'chai';
import { existsSync, readdirSync } from 'node:fs';
import { repositoryFile } from '../../support/yaml-files.js';

const REFERENCE = repositoryFile('docs/reference/kosmosctl.md');
const SECTIONS = new Map(
  REFERENCE.split(/^## kosmosctl /m)
    .slice(1)
    .map((section) => [/^.*/.exec(section)?.[0] ?? '', section]),
);

const ROOT = new URL('../../../../', import.meta.url);
const PAGES = [
  'README.md',
  ...readdirSync(new URL('docs/', ROOT))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...readdirSync(new URL('examples/', ROOT)).map((folder) => `examples/${folder}/README.md`),
];

/** What stands in code on a page and begins with `kosmosctl `, without what a shell does with it. */
function commandsOf(text: string): readonly string[] {
  const inBlocks = [...text.matchAll(/^(?:\$ )?kosmosctl (.+)$/gm)].map(([, command = '']) => command);
  const inLine = [...text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/`kosmosctl ([^`]+)`/g)];
  return [...inBlocks, ...inLine.map(([, command = '']) => command)].map((command) =>
    command.split(/[#|>]/)[0]!.replaceAll(/\s+/g, ' ').trim(),
  );
}

/** The commands of one block of a page, the first one below a heading. */
function blockBelow(page: string, heading: string): readonly string[] {
  const [, block = ''] = new RegExp(`^## ${heading}$.*?^\`\`\`sh\n(.*?)^\`\`\``, 'ms').exec(repositoryFile(page)) ?? [];
  return block.split('\n').filter((line) => line.startsWith('kosmosctl '));
}

describe('commands in documents', () => {
  for (const page of PAGES) {
    it(`are those that there are, with flags that they have: ${page}`, () => {
      for (const command of commandsOf(repositoryFile(page))) {
        // Whole groups are named too, for instance "kosmosctl get".
        const name = [...SECTIONS.keys()].find((known) => command.startsWith(known) || known.startsWith(`${command} `));
        expect(name, `kosmosctl ${command}`).not.to.equal(undefined);
        const section = SECTIONS.get(name ?? '') ?? '';
        for (const [flag] of command.matchAll(/(?<= )--[a-z-]+/g)) expect(section, command).to.contain(flag);
      }
    });
  }

  it('of the README are those of the quick start', () => {
    const inReadme = blockBelow('README.md', 'Use it');
    expect(inReadme).to.have.length(2);
    expect(blockBelow('docs/quick-start.md', 'Any two clusters')).to.include.members([...inReadme]);
  });

  it('lead to pages that are there', () => {
    for (const page of ['README.md', 'docs/quick-start.md', 'docs/troubleshooting.md', 'docs/operations.md']) {
      for (const [, target = ''] of repositoryFile(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        expect(existsSync(new URL(target, new URL(page, ROOT))), `${page}: ${target}`).to.be.true;
      }
    }
  });
});
