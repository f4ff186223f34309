import { readFileSync } from 'node:fs';
import { AGENT_OPTIONS } from '../../src/bin/agent-options.js';
import { MANAGER_OPTIONS } from '../../src/bin/manager-options.js';
import { AGENT_METRICS } from '../../src/clusterlink/agent/agent-metrics.js';
import { renderMetricsTable } from '../../src/runtime/metric-table.js';
import { renderOptionsTable } from '../../src/runtime/options.js';
import { chartFiles } from './chart/chart-files.js';
import { renderCommands } from './cli-page.js';
import { renderErrorsTable } from './errors-table.js';
import { renderMistakes } from './mistakes.js';
import { renderClusterPicture } from './cluster-picture.js';
import { renderPacketPicture } from './packet-picture.js';
import { renderPodFields } from './pod-fields-page.js';
import type { FieldExtract } from './pod-spec-fields.js';

/** A committed file whose text comes from the sources. */
export interface Document {
  /** From the root of the repository. */
  readonly path: string;
  readonly render: () => string;
}

/** The committed extract of an API server's OpenAPI document. */
export const POD_SPEC_FIELDS = 'hack/generate/pod-spec-fields.json';

export function readPodSpecFields(): FieldExtract {
  return JSON.parse(readFileSync(POD_SPEC_FIELDS, 'utf8')) as FieldExtract;
}

const GENERATED = '<!-- Made by `npm run generate`; changes here are lost. -->';

function page(title: string, introduction: string, table: string): string {
  return [`# ${title}`, '', GENERATED, '', introduction, '', table].join('\n');
}

const CONFIG_INTRODUCTION =
  'Options of `kosmos-manager`. A flag wins over the environment, and that over the YAML file that `--config` names. ' +
  'Everything that is wrong is reported in one message, with exit code 2.';
const METRICS_INTRODUCTION =
  'What `kosmos-manager` serves on `/metrics`, beside the usual metrics of a Node process. ' +
  '`cluster` is the name of a Cluster, or `host`.';
const AGENT_CONFIG_INTRODUCTION = 'Options of `kosmos-agent`, read as those of the [manager](config.md) are.';
const AGENT_METRICS_INTRODUCTION =
  'What `kosmos-agent` serves on `/metrics`, beside the usual metrics of a Node process. ' +
  '`peer` is `<cluster>/<node>`, `ip` its tunnel address.';
const ERRORS_INTRODUCTION = 'Codes of errors in the log (field `code`).';

const MISTAKES_INTRODUCTION =
  'What `kosmosctl` says when something is wrong, and what to do about it. `…` stands for names, addresses and the words ' +
  'of others. None of them leaves anything half done: what was begun is taken back, or goes on when it is run again. Each ' +
  'row is the outcome of a test.';

/** `docs/pictures/<name>.svg` is drawn from the text beside it. */
function picture(name: string, draw: (text: string) => string): Document {
  const path = `docs/pictures/${name}`;
  return { path: `${path}.svg`, render: () => draw(readFileSync(`${path}.txt`, 'utf8')) };
}

/** Everything that `npm run generate` writes; a unit test compares the files with it. */
export const DOCUMENTS: readonly Document[] = [
  {
    path: 'docs/reference/config.md',
    render: () => page('Configuration', CONFIG_INTRODUCTION, renderOptionsTable(MANAGER_OPTIONS)),
  },
  {
    path: 'docs/reference/metrics.md',
    render: () => page('Metrics', METRICS_INTRODUCTION, renderMetricsTable()),
  },
  {
    path: 'docs/reference/agent-config.md',
    render: () => page('Configuration of the agent', AGENT_CONFIG_INTRODUCTION, renderOptionsTable(AGENT_OPTIONS)),
  },
  {
    path: 'docs/reference/agent-metrics.md',
    render: () => page('Metrics of the agent', AGENT_METRICS_INTRODUCTION, renderMetricsTable(AGENT_METRICS)),
  },
  { path: 'docs/reference/errors.md', render: () => page('Errors', ERRORS_INTRODUCTION, renderErrorsTable()) },
  { path: 'docs/reference/mistakes.md', render: () => page('Mistakes', MISTAKES_INTRODUCTION, renderMistakes()) },
  {
    path: 'docs/reference/kosmosctl.md',
    render: () => [`# kosmosctl`, '', GENERATED, '', renderCommands()].join('\n'),
  },
  ...chartFiles(),
  { path: 'docs/reference/pod-fields.md', render: () => renderPodFields(readPodSpecFields().kubernetes) },
  picture('architecture', renderClusterPicture),
  ...['link-gateway', 'link-p2p', 'link-global', 'link-host'].map((name) => picture(name, renderPacketPicture)),
];
