import {FauxlensError} from './error.js';
import {sha256} from './hash.js';
import {END_BYTES, END_SIGNATURE, latin1, readStored} from './zip.js';

const MAX_BYTES = 512 * 1024 * 1024;
const MARK = 'sha256:';
const COMMENT_BYTES = MARK.length + 64;

/**
 * Checks the seal of a file made by Fauxlens and reads its members, as export/artifacts/seal.py does.
 *
 * The zip's comment, its very last bytes, is `sha256:` and the hash of everything before. `start` says how many bytes
 * stand before the zip; members are parts of `bytes`, not copies.
 * @param {Uint8Array} bytes
 * @param {string} name how errors call the file
 * @returns {Promise<{start: number, members: Map<string, Uint8Array>}>}
 * @throws {FauxlensError} where it is too large, cut short, not sealed, changed, or not a plain stored zip
 */
export async function readSealed(bytes, name) {
  if (bytes.length > MAX_BYTES) {
    throw new FauxlensError(
      `${name} is ${bytes.length >> 20} MB, more than the ${MAX_BYTES >> 20} MB that Fauxlens opens.`,
    );
  }
  const end = bytes.length - COMMENT_BYTES - END_BYTES;
  const comment = end < 0 ? '' : latin1(bytes, end + END_BYTES, COMMENT_BYTES);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (end < 0 || data.getUint32(end, true) !== END_SIGNATURE || !comment.startsWith(MARK)) {
    throw new FauxlensError(
      `${name} is truncated or was not made by Fauxlens (it does not end with Fauxlens's checksum); copy it again, or ` +
        'make it with `fauxlens export`.',
    );
  }
  if (comment.slice(MARK.length) !== (await sha256(bytes.subarray(0, bytes.length - COMMENT_BYTES)))) {
    throw new FauxlensError(
      `${name} is damaged (its bytes do not match its checksum); copy it again or export it once more.`,
    );
  }
  return readStored(bytes, data, end, name);
}
