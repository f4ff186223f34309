import type { CsiDriver } from '../../apis/core.js';
import { FIELD_MANAGER, MEMBER_CSI_DRIVER } from '../../apis/names.js';
import { isAlreadyExists } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { csiDrivers } from '../../kube/resource.js';
import { isAborted } from '../../lib/abort.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';

const RETRY_MS = 30_000;

/**
 * The driver of volumes that stand for those of members. It attaches nothing: else the host's controllers would make a
 * VolumeAttachment for each, and wait for a driver that doesn't exist.
 */
export function desiredCsiDriver(): CsiDriver {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: MEMBER_CSI_DRIVER },
    spec: { attachRequired: false, podInfoOnMount: false, storageCapacity: false },
  };
}

/** Makes the CSIDriver object in the host; resolves when it is there. */
export async function installCsiDriver(
  { host, clock, logger }: { readonly host: KubeClient; readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await host.create(csiDrivers, desiredCsiDriver(), { fieldManager: FIELD_MANAGER, signal });
      return;
    } catch (error) {
      // Whether it attaches can't be changed later, so whoever made it meant it.
      if (isAlreadyExists(error) || isAborted(signal)) return;
      logger.warn('the CSIDriver object for volumes of members could not be made', { error: errorMessage(error) });
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}
