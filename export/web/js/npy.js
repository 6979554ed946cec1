import {FauxlensError} from './error.js';
import {latin1} from './zip.js';

const MAGIC = '\x93NUMPY\x01\x00';
const PREFIX = 10;
const LONGEST_HEADER = 1000;
// The header as NumPy writes it (numpy/lib/format.py): a Python literal of three keys in alphabetical order.
const HEADER =
  /^\{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(((?:[0-9]+,(?: [0-9]+,)*(?: [0-9]+)?)?)\), \} *\n$/;

/** @typedef {{shape: number[], kind: 'uint8' | 'float32', values: Uint8Array | Float32Array}} Npy */

/**
 * Reads a plain .npy 1.0 array of uint8 or little-endian float32 in C order.
 * @param {Uint8Array} bytes
 * @param {string} name how errors call it
 * @returns {Npy}
 * @throws {FauxlensError} for something else, another length, or a number that is not finite
 */
export function readNpy(bytes, name) {
  if (bytes.length < PREFIX || latin1(bytes, 0, MAGIC.length) !== MAGIC) {
    throw new FauxlensError(`${name} is not an .npy array; export the bundle again.`);
  }
  const length = bytes[8] | (bytes[9] << 8);
  const from = PREFIX + length;
  const match = length > LONGEST_HEADER || from > bytes.length ? null : HEADER.exec(latin1(bytes, PREFIX, length));
  if (!match) throw new FauxlensError(`${name} has no .npy header that NumPy writes; export the bundle again.`);
  const [, type, byColumns, sides] = match;
  if (byColumns === 'True' || !['<f4', '|u1'].includes(type)) {
    throw new FauxlensError(`${name} is not a C-ordered array of uint8 or float32; export the bundle again.`);
  }
  const shape = sides.split(',').map((side) => side.trim()).filter(Boolean).map(Number);
  const needed = shape.reduce((product, side) => product * side, type === '<f4' ? 4 : 1);
  if (needed !== bytes.length - from || shape.some((side) => side > 0x7fffffff)) {
    throw new FauxlensError(
      `${name} has ${bytes.length - from} bytes, which do not fit its shape (${sides}); export the bundle again.`,
    );
  }
  if (type === '|u1') return {shape, kind: 'uint8', values: bytes.subarray(from)};
  // A copy, since floats must lie on multiples of four; WebAssembly, and so every browser, is little-endian.
  const values = new Float32Array(bytes.slice(from).buffer);
  if (!values.every(Number.isFinite)) {
    throw new FauxlensError(`${name} contains NaN or infinity; export the bundle again.`);
  }
  return {shape, kind: 'float32', values};
}

/** One entry of the first axis. @template {Uint8Array | Float32Array} T @param {T} values @param {number} count @param {number} index @returns {T} */
export function entryOf(values, count, index) {
  const size = values.length / count;
  return /** @type {T} */ (values.subarray(index * size, (index + 1) * size));
}
