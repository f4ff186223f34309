/** Whether a device can have this name, and nftables can be told of it: at most 15 characters (IFNAMSIZ), few of them odd. */
export function isDeviceName(name: string): boolean {
  return /^[\w.:@-]{1,15}$/.test(name);
}
