// GIF (GIF89a specification), BMP (BITMAPINFOHEADER) and AVIF (ISO 23000-22: only that it is one).

/** @typedef {import('./picture_header.js').PictureHeader} PictureHeader */

const PLAIN = /** @type {const} */ ({
  ...{frames: 1, deep: false, mayBeClear: false, orientation: 1, whole: true},
  ...{progressive: false, scans: 1},
});

/** @param {Uint8Array} bytes @returns {PictureHeader | null} */
export function readGif(bytes) {
  if (bytes.length < 13) return null;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frames = 0;
  let clear = false;
  let whole = false;
  let at = 13 + colourTable(bytes[10]);
  while (at < bytes.length && !whole) {
    const block = bytes[at];
    if (block === 0x3b) {
      whole = true;
    } else if (block === 0x2c) {
      frames += 1;
      at = afterBlocks(bytes, at + 11 + colourTable(bytes[at + 9]));
    } else if (block === 0x21) {
      if (bytes[at + 1] === 0xf9) clear ||= (bytes[at + 3] & 1) === 1;
      at = afterBlocks(bytes, at + 2);
    } else {
      break;
    }
  }
  const size = {width: data.getUint16(6, true), height: data.getUint16(8, true)};
  return {...PLAIN, format: 'GIF', ...size, frames, mode: 'P', mayBeClear: clear, decodable: bytes, whole};
}

/** Bytes of the table that a GIF's flags announce. @param {number} flags */
function colourTable(flags) {
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

/** Where data blocks, each with its length before it, have ended. @param {Uint8Array} bytes @param {number} from */
function afterBlocks(bytes, from) {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at];
  return at + 1;
}

/** @param {Uint8Array} bytes @returns {PictureHeader | null} */
export function readBmp(bytes) {
  if (bytes.length < 30) return null;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = data.getUint16(28, true);
  const size = {width: Math.abs(data.getInt32(18, true)), height: Math.abs(data.getInt32(22, true))};
  const mode = bits === 1 ? '1' : bits > 8 ? 'RGB' : isGreyRamp(bytes, 14 + data.getUint32(14, true), bits) ? 'L' : 'P';
  return {...PLAIN, format: 'BMP', ...size, mode, mayBeClear: bits === 32, decodable: bytes};
}

/** @param {Uint8Array} bytes @returns {PictureHeader} */
export function readAvif(bytes) {
  // The brand of an image sequence.
  const frames = bytes[11] === 's'.charCodeAt(0) ? 2 : 1;
  return {...PLAIN, format: 'AVIF', width: 0, height: 0, frames, mode: 'RGB', mayBeClear: true, decodable: bytes};
}

/** Whether a BMP's palette is that of greyscale, which Pillow opens as such. @param {Uint8Array} bytes @param {number} at @param {number} bits */
function isGreyRamp(bytes, at, bits) {
  const colours = 2 ** bits;
  if (at + 4 * colours > bytes.length) return false;
  for (let i = 0; i < colours; i += 1) {
    if (bytes.subarray(at + 4 * i, at + 4 * i + 3).some((level) => level !== i)) return false;
  }
  return true;
}
