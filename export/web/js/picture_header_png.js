// PNG (W3C PNG, third edition): chunks up to IEND.
import {findOrientation, xmpOrientation} from './exif.js';
import {crc32} from './hash.js';
import {valid, without} from './picture_header_jpeg.js';
import {latin1} from './zip.js';

const XMP = 'XML:com.adobe.xmp\0';
const SIGNATURE_BYTES = 8;
// By colour type: grey, RGB, palette, grey with alpha, RGB with alpha.
const MODES = /** @type {const} */ ({0: 'L', 2: 'RGB', 3: 'P', 4: 'L', 6: 'RGB'});
const MOST_CHUNKS = 1_000_000;

/** @param {Uint8Array} bytes @returns {import('./picture_header.js').PictureHeader | null} */
export function readPng(bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || latin1(bytes, 12, 4) !== 'IHDR') return null;
  const depth = bytes[24];
  const mode = MODES[/** @type {keyof typeof MODES} */ (bytes[25])];
  if (!mode) return null;
  let frames = 0;
  let defaultIsFrame = false;
  let clear = bytes[25] >= 4;
  let found = null;
  let exif = {at: 0, end: 0};
  let fromXmp = null;
  let sawData = false;
  let whole = false;
  let at = SIGNATURE_BYTES;
  for (let chunks = 0; chunks < MOST_CHUNKS && at + 12 <= bytes.length; chunks += 1) {
    const body = at + 8;
    const end = body + data.getUint32(at);
    if (end + 4 > bytes.length) break;
    const type = latin1(bytes, at + 4, 4);
    if (type === 'IEND') {
      whole = true;
      break;
    }
    if (type === 'IDAT') sawData = true;
    else if (type === 'acTL' && !sawData && end - body >= 8) frames = data.getUint32(body);
    else if (type === 'fcTL' && !sawData) defaultIsFrame = true;
    else if (type === 'tRNS') clear = true;
    else if (type === 'eXIf' && !found) {
      found = findOrientation(bytes, body, end);
      exif = {at, end};
    } else if (type === 'iTXt' && end - body > XMP.length && latin1(bytes, body, XMP.length) === XMP) {
      fromXmp ??= xmpOrientation(latin1(bytes, body, end - body));
    }
    at = end + 4;
  }
  const colourType = bytes[25];
  return {
    format: 'PNG',
    width: data.getUint32(16),
    height: data.getUint32(20),
    frames: frames === 0 ? 1 : frames + (defaultIsFrame ? 0 : 1),
    mode: pillowMode(mode, colourType, depth),
    deep: depth === 16,
    mayBeClear: clear,
    progressive: false,
    scans: 1,
    orientation: valid(found?.orientation ?? fromXmp),
    decodable: found ? withChecksum(without(bytes, found.at), exif) : bytes,
    // As by Pillow, the end may be missing where no chunk is cut.
    whole: (whole || at === bytes.length) && sawData,
  };
}

/** @param {(typeof MODES)[keyof typeof MODES]} mode @param {number} colourType @param {number} depth */
function pillowMode(mode, colourType, depth) {
  if (colourType === 0 && depth === 1) return '1';
  // Pillow opens grey with alpha of 16 bits as RGBA.
  return colourType === 4 && depth === 16 ? 'RGB' : mode;
}

/** @param {Uint8Array} bytes a copy @param {{at: number, end: number}} chunk */
function withChecksum(bytes, {at, end}) {
  new DataView(bytes.buffer).setUint32(end, crc32(bytes.subarray(at + 4, end)));
  return bytes;
}
