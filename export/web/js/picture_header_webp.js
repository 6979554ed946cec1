// WebP (RFC 9649): RIFF chunks.
import {findOrientation, xmpOrientation} from './exif.js';
import {valid, without} from './picture_header_jpeg.js';
import {latin1} from './zip.js';

const MOST_CHUNKS = 100_000;

/** @param {Uint8Array} bytes @returns {import('./picture_header.js').PictureHeader | null} */
export function readWebp(bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30) return null;
  const riffEnd = 8 + data.getUint32(4, true);
  let size = null;
  let clear = false;
  let frames = 0;
  let found = null;
  let fromXmp = null;
  let at = 12;
  for (let chunks = 0; chunks < MOST_CHUNKS && at + 8 <= bytes.length; chunks += 1) {
    const body = at + 8;
    const end = body + data.getUint32(at + 4, true);
    if (end > bytes.length) break;
    const type = latin1(bytes, at, 4);
    if (type === 'VP8X' && end - body >= 10) {
      size = {width: 1 + uint24(bytes, body + 4), height: 1 + uint24(bytes, body + 7)};
      clear ||= (bytes[body] & 0x10) !== 0;
    } else if (type === 'VP8 ' && end - body >= 10) {
      size ??= {width: data.getUint16(body + 6, true) & 0x3fff, height: data.getUint16(body + 8, true) & 0x3fff};
    } else if (type === 'VP8L' && end - body >= 5) {
      const bits = data.getUint32(body + 1, true);
      size ??= {width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff)};
      clear ||= ((bits >>> 28) & 1) === 1;
    } else if (type === 'ANMF') {
      frames += 1;
    } else if (type === 'EXIF') {
      // Some writers put JPEG's prefix before it.
      const start = latin1(bytes, body, Math.min(6, end - body)) === 'Exif\0\0' ? body + 6 : body;
      found ??= findOrientation(bytes, start, end);
    } else if (type === 'XMP ') {
      fromXmp ??= xmpOrientation(latin1(bytes, body, end - body));
    }
    at = end + (end & 1);
  }
  if (!size) return null;
  return {
    format: 'WEBP',
    ...size,
    frames: Math.max(frames, 1),
    mode: 'RGB',
    deep: false,
    mayBeClear: clear,
    progressive: false,
    scans: 1,
    orientation: valid(found?.orientation ?? fromXmp),
    decodable: found ? without(bytes, found.at) : bytes,
    whole: riffEnd <= bytes.length,
  };
}

/** @param {Uint8Array} bytes @param {number} at */
function uint24(bytes, at) {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
}
