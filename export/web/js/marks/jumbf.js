// JUMBF boxes (ISO 19566-5), in which C2PA stores its manifests (train/image/marks/jumbf.py).
import {latin1, partition, utf8, viewOf} from './bytes.js';

/** The bytes are no JUMBF, end too soon, or nest or count beyond the limits. */
export class JumbfError extends Error {}

const MAX_DEPTH = 8;
const MAX_BOXES = 5_000;

/** A superbox: label, superboxes, other boxes by type, and `hashed`, what C2PA hashes of it.
 * @typedef {{label: string, boxes: Box[], contents: {kind: string, content: Uint8Array}[], hashed: Uint8Array}} Box */

/** The superbox that `data` begins with. @param {Uint8Array} data @returns {Box} @throws {JumbfError} */
export function readJumbf(data) {
  const view = viewOf(data);
  let count = 0;

  /** Type, begin and end of the content of the box at `at`. @param {number} at @param {number} end */
  function header(at, end) {
    if (at + 8 > end) throw new JumbfError('ends too soon');
    let length = view.getUint32(at);
    let size = 8;
    if (length === 1 && at + 16 <= end) {
      length = Number(view.getBigUint64(at + 8));
      size = 16;
    } else if (length === 0) {
      length = end - at;
    }
    if (length < size || at + length > end) throw new JumbfError('a length that does not fit');
    return {kind: latin1(data.subarray(at + 4, at + 8)), first: at + size, last: at + length};
  }

  /** @param {number} begin @param {number} end @param {number} depth @returns {Box} */
  function superbox(begin, end, depth) {
    /** @type {Box} */
    const box = {label: '', boxes: [], contents: [], hashed: data.subarray(begin, end)};
    let at = begin;
    while (at < end) {
      count += 1;
      if (depth > MAX_DEPTH || count > MAX_BOXES) throw new JumbfError('nested too deep, or too many boxes');
      const {kind, first, last} = header(at, end);
      if (kind === 'jumd') box.label = labelOf(data.subarray(first, last));
      else if (kind === 'jumb') box.boxes.push(superbox(first, last, depth + 1));
      else box.contents.push({kind, content: data.subarray(first, last)});
      at = last;
    }
    return box;
  }

  const {kind, first, last} = header(0, data.length);
  if (kind !== 'jumb') throw new JumbfError('no superbox');
  return superbox(first, last, 0);
}

/** 16 bytes of type, toggles (0x02: a label follows), the label with its NUL. @param {Uint8Array} description */
function labelOf(description) {
  if (description.length < 17 || !(description[16] & 2)) return '';
  return utf8(partition(description.subarray(17))[0]);
}

/** The first superbox of a label. @param {Box | null} box @param {string} label @returns {Box | null} */
export function childOf(box, label) {
  return box?.boxes.find((one) => one.label === label) ?? null;
}

/** The content of the first CBOR box. @param {Box | null} box */
export function cborOf(box) {
  return box?.contents.find(({kind}) => kind === 'cbor')?.content ?? null;
}
