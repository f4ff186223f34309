/** How a quantity is written again: `12M`, `12Mi` or `12e6`. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** An exact amount. The API server keeps nothing finer than a nano-unit, hence the integer. Immutable. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

const NANOS_PER_UNIT = 1_000_000_000n;
const MIN_EXPONENT = -9;
/** The API server caps binary amounts at a signed 64-bit integer. */
const MAX_BINARY_NANOS = (2n ** 63n - 1n) * NANOS_PER_UNIT;
/** Beyond this an exponent only costs memory: no real amount is that large or that small. */
const EXPONENT_LIMIT = 60;

const DECIMAL_SUFFIXES: readonly string[] = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY_SUFFIXES: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/;

/** A quantity of whole units, for instance a number of pods. */
export function unitQuantity(units: number): Quantity {
  return { nanos: BigInt(units) * NANOS_PER_UNIT, format: 'DecimalSI' };
}

/**
 * Reads what the API server would read: decimal, binary or exponent suffix, any number of digits. What is finer than
 * a nano-unit is rounded away from zero.
 *
 * @throws SyntaxError when the text is no quantity; a suffix without any digit is none either.
 */
export function parseQuantity(text: string): Quantity {
  const match = SYNTAX.exec(text);
  const [, sign, whole = '', fraction = '', exponentText, suffix = ''] = match ?? [];
  if (whole + fraction === '') throw new SyntaxError(`"${text}" is not a quantity`);
  const scale = scaleOf(exponentText, suffix);
  const magnitude = scaled(BigInt(whole + fraction) * scale.factor, scale.exponent - fraction.length);
  const quantity = scale.format === 'BinarySI' ? binary(magnitude) : { nanos: magnitude, format: scale.format };
  return sign === '-' ? { ...quantity, nanos: -quantity.nanos } : quantity;
}

/** A binary amount below one is a decimal one; the largest is what fits into 64 bits. */
function binary(magnitude: bigint): Quantity {
  if (magnitude < NANOS_PER_UNIT) return { nanos: magnitude, format: 'DecimalSI' };
  return { nanos: magnitude > MAX_BINARY_NANOS ? MAX_BINARY_NANOS : magnitude, format: 'BinarySI' };
}

interface Scale {
  readonly factor: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function scaleOf(exponentText: string | undefined, suffix: string): Scale {
  if (exponentText !== undefined) {
    const exponent = Math.max(-EXPONENT_LIMIT, Math.min(EXPONENT_LIMIT, Number(exponentText.slice(1))));
    return { factor: 1n, exponent, format: 'DecimalExponent' };
  }
  if (suffix.endsWith('i')) {
    return { factor: 1024n ** BigInt(BINARY_SUFFIXES.indexOf(suffix)), exponent: 0, format: 'BinarySI' };
  }
  return { factor: 1n, exponent: MIN_EXPONENT + 3 * DECIMAL_SUFFIXES.indexOf(suffix), format: 'DecimalSI' };
}

/** `mantissa * 10^exponent` in nano-units, rounded up. */
function scaled(mantissa: bigint, exponent: number): bigint {
  const shift = exponent - MIN_EXPONENT;
  if (shift >= 0) return mantissa * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (mantissa + divisor - 1n) / divisor;
}

/** The sum, in the format of the first one that isn't zero. */
export function addQuantity(left: Quantity, right: Quantity): Quantity {
  return { nanos: left.nanos + right.nanos, format: left.nanos === 0n ? right.format : left.format };
}

/** The difference; may be negative. */
export function subtractQuantity(left: Quantity, right: Quantity): Quantity {
  return { nanos: left.nanos - right.nanos, format: left.nanos === 0n ? right.format : left.format };
}

/** The quantity, or zero when it is negative. */
export function atLeastZero(quantity: Quantity): Quantity {
  return quantity.nanos < 0n ? { nanos: 0n, format: quantity.format } : quantity;
}

/** Negative, zero or positive, as `Array.prototype.sort` wants it. Formats don't matter. */
export function compareQuantity(left: Quantity, right: Quantity): number {
  if (left.nanos === right.nanos) return 0;
  return left.nanos < right.nanos ? -1 : 1;
}

/**
 * The canonical text, as the API server stores it: no fraction, no loss, the largest suffix of the quantity's format
 * (a binary amount below 1024, or with a fraction, is written decimally).
 */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format } = quantity;
  if (nanos === 0n) return '0';
  if (format === 'BinarySI' && hasBinaryForm(nanos)) {
    const { mantissa, times } = reduce(nanos / NANOS_PER_UNIT, 1024n, BINARY_SUFFIXES.length - 1);
    return `${mantissa.toString()}${String(BINARY_SUFFIXES[times])}`;
  }
  if (format === 'DecimalExponent') {
    const { mantissa, times } = reduce(nanos, 1000n, Number.MAX_SAFE_INTEGER);
    const exponent = MIN_EXPONENT + 3 * times;
    return exponent === 0 ? mantissa.toString() : `${mantissa.toString()}e${exponent}`;
  }
  const { mantissa, times } = reduce(nanos, 1000n, DECIMAL_SUFFIXES.length - 1);
  return `${mantissa.toString()}${String(DECIMAL_SUFFIXES[times])}`;
}

function hasBinaryForm(nanos: bigint): boolean {
  const units = nanos / NANOS_PER_UNIT;
  return nanos % NANOS_PER_UNIT === 0n && (units >= 1024n || units <= -1024n);
}

/** Takes the factor `base` out of a value other than zero, at most `limit` times. */
function reduce(value: bigint, base: bigint, limit: number): { readonly mantissa: bigint; readonly times: number } {
  let mantissa = value;
  let times = 0;
  while (times < limit && mantissa % base === 0n) {
    mantissa /= base;
    times += 1;
  }
  return { mantissa, times };
}
