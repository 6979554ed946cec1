// A bounded reader of CBOR (RFC 8949), for what C2PA manifests hold (train/image/marks/cbor.py).
import {concatenated, utf8, viewOf} from './bytes.js';

/** @typedef {number | Uint8Array | string | boolean | null | CborArray | CborMap} Cbor */
/** @typedef {Cbor[]} CborArray */
/** @typedef {Map<number | string, Cbor>} CborMap */

/** The bytes are no CBOR, end too soon, or nest or count beyond the limits. */
export class CborError extends Error {}

const MAX_DEPTH = 32;
const MAX_ITEMS = 100_000;
/** The end of an item of unknown length. */
const BREAK = Symbol('break');

/**
 * The first item of `data`. Tags are dropped; keys of maps that are neither text nor numbers are dropped with their values.
 * @param {Uint8Array} data
 * @returns {Cbor}
 * @throws {CborError}
 */
export function readCbor(data) {
  const view = viewOf(data);
  let at = 0;
  let items = 0;

  /** @param {number} count */
  function take(count) {
    if (count > data.length - at) throw new CborError('ends too soon');
    at += count;
    return data.subarray(at - count, at);
  }

  /** @param {number} short */
  function number(short) {
    if (short > 27) throw new CborError('reserved');
    return take(1 << (short - 24)).reduce((value, byte) => 256 * value + byte, 0);
  }

  /** @param {number} count */
  function possible(count) {
    // Each item has one byte at least, so that a lying count ends before anything is reserved for it.
    if (count > data.length - at) throw new CborError('more items than bytes');
    return count;
  }

  /** @param {number} depth @returns {Cbor | typeof BREAK} */
  function item(depth) {
    items += 1;
    if (depth > MAX_DEPTH || items > MAX_ITEMS) throw new CborError('nested too deep, or too many items');
    const first = take(1)[0];
    const major = first >> 5;
    const short = first & 31;
    if (major === 7) return simple(short);
    if (short === 31) return endless(major, depth);
    const count = short < 24 ? short : number(short);
    switch (major) {
      case 0:
        return count;
      case 1:
        return -1 - count;
      case 2:
        return take(count);
      case 3:
        return utf8(take(count));
      case 6:
        return value(depth);
      case 4:
        return Array.from({length: possible(count)}, () => value(depth));
      default: {
        const flat = [];
        const pairs = possible(count);
        for (let i = 0; i < pairs; i += 1) flat.push(value(depth), value(depth));
        return entries(flat);
      }
    }
  }

  /** @param {number} depth @returns {Cbor} */
  function value(depth) {
    const found = item(depth + 1);
    if (found === BREAK) throw new CborError('a break where a value belongs');
    return /** @type {Cbor} */ (found);
  }

  /** @param {number} major @param {number} depth @returns {Cbor} */
  function endless(major, depth) {
    if (major < 2 || major > 5) throw new CborError('no item of this kind has an unknown length');
    /** @type {Cbor[]} */
    const found = [];
    for (let one = item(depth + 1); one !== BREAK; one = item(depth + 1)) found.push(/** @type {Cbor} */ (one));
    if (major === 4) return found;
    if (major === 5) {
      if (found.length % 2) throw new CborError('a key without a value');
      return entries(found);
    }
    if (major === 2 && found.every((one) => one instanceof Uint8Array)) return concatenated(/** @type {Uint8Array[]} */ (found));
    if (major === 3 && found.every((one) => typeof one === 'string')) return found.join('');
    throw new CborError('a string of other things than strings');
  }

  /** @param {Cbor[]} flat keys and values in turn @returns {CborMap} */
  function entries(flat) {
    /** @type {CborMap} */
    const map = new Map();
    for (let i = 0; i < flat.length; i += 2) {
      const key = flat[i];
      if (typeof key === 'number' || typeof key === 'string') map.set(key, flat[i + 1]);
    }
    return map;
  }

  /** @param {number} short @returns {Cbor | typeof BREAK} */
  function simple(short) {
    if (short >= 25 && short <= 27) {
      const from = at;
      take(1 << (short - 24));
      if (short === 25) return half(view.getUint16(from));
      return short === 26 ? view.getFloat32(from) : view.getFloat64(from);
    }
    if (short === 31) return BREAK;
    if (short === 24) take(1);
    else if (short > 27) throw new CborError('reserved');
    return short === 20 ? false : short === 21 ? true : null;
  }

  return value(-1);
}

/** IEEE 754 half precision. @param {number} bits */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

/** @param {unknown} value @returns {CborMap} empty where it is no map */
export function mapOf(value) {
  return value instanceof Map ? value : new Map();
}

/** @param {unknown} value @returns {Cbor[]} empty where it is no list */
export function listOf(value) {
  return Array.isArray(value) ? value : [];
}
