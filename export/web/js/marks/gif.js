// Marks in a GIF file: its comments and its XMP block (train/image/marks/gif.py).
import {concatenated, startsWith, utf8} from './bytes.js';
import {CUT_SHORT, MAX_PARTS, MAX_TEXT, MAX_XMP, TOO_MANY, tooMany} from './parts.js';

/** @typedef {import('./parts.js').Parts} Parts */

const XMP = '\x0bXMP DataXMP';
// What ends an XMP packet so that readers which know of sub-blocks only find an end (XMP, part 3, 1.1.2).
const TRAILER = 257;
// Of a file together; of 255 bytes each they hold more than any file that is read.
const MAX_BLOCKS = 1_000_000;
const [EXTENSION, COMMENT, IMAGE, END] = [0x21, 0xfe, 0x2c, 0x3b];

/** @param {Uint8Array} data */
export function isGif(data) {
  return startsWith(data, 'GIF87a') || startsWith(data, 'GIF89a');
}

/** The blocks of a GIF file (GIF89a, 15 to 26); pixels are passed over. @param {Uint8Array} data @param {Parts} parts */
export function walkGif(data, parts) {
  let at = 13 + tableBytes(data[10]);
  let left = MAX_BLOCKS;

  /** Passes a chain of sub-blocks and returns the first `most` bytes that it holds. @param {number} from @param {number} most */
  function chain(from, most) {
    /** @type {Uint8Array[]} */
    const found = [];
    let kept = 0;
    at = from;
    while (left && at < data.length && data[at]) {
      if (kept < most) {
        found.push(data.subarray(at + 1, at + 1 + data[at]));
        kept += data[at];
      }
      at += 1 + data[at];
      left -= 1;
    }
    at += 1;
    return concatenated(found).subarray(0, most);
  }

  for (let i = 0; i < MAX_PARTS; i += 1) {
    const kind = data[at];
    if (kind === END) return parts;
    if (kind === IMAGE && data.length >= at + 11) {
      chain(at + 11 + tableBytes(data[at + 9]), 0);
    } else if (kind === EXTENSION && data[at + 1] === COMMENT) {
      parts.text('comment', utf8(chain(at + 2, 4 * MAX_TEXT + 4)));
    } else if (kind === EXTENSION && startsWith(data, XMP, at + 2)) {
      // The packet stands there as it is, not cut into sub-blocks.
      const begin = at + 2 + XMP.length;
      const end = twoNuls(data, begin);
      const packet = data.subarray(begin, Math.max(begin, end - TRAILER + 1));
      if (!parts.xmp && !parts.large('XMP packet', packet.length, MAX_XMP)) parts.xmp = packet;
      at = end < 0 ? data.length : end + 2;
    } else if (kind === EXTENSION && data.length > at + 2) {
      chain(at + 2, 0);
    } else {
      parts.fault(CUT_SHORT);
      return parts;
    }
    if (!left) {
      parts.fault(tooMany(MAX_BLOCKS));
      return parts;
    }
  }
  parts.fault(TOO_MANY);
  return parts;
}

/** Bytes of the colour table that a packed field tells of. @param {number | undefined} packed */
function tableBytes(packed) {
  return packed !== undefined && packed & 0x80 ? 3 << (1 + (packed & 7)) : 0;
}

/** Where two NUL bytes begin, or -1. @param {Uint8Array} data @param {number} from */
function twoNuls(data, from) {
  let at = data.indexOf(0, from);
  while (at >= 0 && data[at + 1] !== 0) at = data.indexOf(0, at + 1);
  return at;
}
