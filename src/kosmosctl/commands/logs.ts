import { apiErrorOf } from '../../kube/api-error.js';
import type { ServerStream } from '../../kube/server-stream.js';
import { readRefusal } from '../../clustertree/kubelet/member-failure.js';
import type { CliContext } from '../context.js';
import { withContainer, type ContainerChoice } from '../pod-target.js';

export interface LogsOptions extends ContainerChoice {
  readonly follow: boolean;
  /** Of the container that ran before this one. */
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tail: number | undefined;
  readonly sinceSeconds: number | undefined;
}

/** Prints the log of a container. */
export async function logs(options: LogsOptions, context: CliContext): Promise<void> {
  await withContainer(options, context, async ({ transport, container, path }) => {
    const request = { path: `${path}/log?${logQuery(options, container)}`, accept: '*/*', signal: context.signal };
    await print(await transport.stream(request), context);
  });
}

/** As the pods API takes it. */
export function logQuery(options: LogsOptions, container: string): string {
  const query = new URLSearchParams({ container });
  for (const name of ['follow', 'previous', 'timestamps'] as const) if (options[name]) query.set(name, 'true');
  if (options.tail !== undefined) query.set('tailLines', String(options.tail));
  if (options.sinceSeconds !== undefined) query.set('sinceSeconds', String(options.sinceSeconds));
  return query.toString();
}

async function print(log: ServerStream, { terminal }: CliContext): Promise<void> {
  if (log.statusCode !== 200) {
    const { statusCode, body } = await readRefusal(log);
    throw apiErrorOf(statusCode, body.toString('utf8'));
  }
  try {
    for (let chunk = await log.read(); chunk !== undefined; chunk = await log.read()) await terminal.write(chunk);
  } finally {
    await log.close();
  }
}
