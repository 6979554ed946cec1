import {FauxlensError} from './error.js';

/**
 * SHA-256 as 64 lower-case hexadecimal digits.
 * @param {Uint8Array} bytes
 * @returns {Promise<string>}
 * @throws {FauxlensError} where the page is not from https or this machine, and so has no Web Crypto
 */
export async function sha256(bytes) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    throw new FauxlensError('This page cannot check files: open it over https or from this machine (127.0.0.1).');
  }
  // Web Crypto takes no shared memory.
  return hexadecimal(new Uint8Array(await subtle.digest('SHA-256', /** @type {Uint8Array<ArrayBuffer>} */ (bytes))));
}

/** @param {Uint8Array} bytes */
export function hexadecimal(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The bits of float32 values, 8 hexadecimal digits each, the sign first.
 * @param {Float32Array} values
 * @returns {string[]}
 */
export function floatBits(values) {
  const view = new DataView(new ArrayBuffer(4));
  return Array.from(values, (value) => {
    view.setFloat32(0, value);
    return view.getUint32(0).toString(16).padStart(8, '0');
  });
}

const CRC_TABLE = Uint32Array.from({length: 256}, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * CRC-32 of zip and PNG (ISO 3309).
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i += 1) crc = CRC_TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
