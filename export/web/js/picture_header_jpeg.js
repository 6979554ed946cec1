// JPEG (ITU-T T.81 B.1): segments up to the end of the image.
import {findOrientation, xmpOrientation} from './exif.js';
import {latin1} from './zip.js';

const EXIF = 'Exif\0\0';
const XMP = 'http://ns.adobe.com/xap/1.0/\0';
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
const APP1 = 0xe1;
const PROGRESSIVE = 0xc2;

/** @param {Uint8Array} bytes @returns {import('./picture_header.js').PictureHeader | null} */
export function readJpeg(bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame = null;
  let found = null;
  let fromXmp = null;
  let whole = false;
  let scans = 0;
  let at = 2;
  while (at + 4 <= bytes.length || bytes[at + 1] === END_OF_IMAGE) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === END_OF_IMAGE) {
      whole = true;
      break;
    }
    // Markers without a length: TEM and RSTn.
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const body = at + 4;
    const end = at + 2 + data.getUint16(at + 2);
    if (end < body || end > bytes.length) break;
    if (isFrame(marker)) {
      if (end - body < 6) return null;
      frame = {
        deep: bytes[body] > 8,
        height: data.getUint16(body + 1),
        width: data.getUint16(body + 3),
        parts: bytes[body + 5],
        progressive: marker === PROGRESSIVE,
      };
    } else if (marker === APP1 && startsWith(bytes, body, end, EXIF)) {
      found ??= findOrientation(bytes, body + EXIF.length, end);
    } else if (marker === APP1 && startsWith(bytes, body, end, XMP)) {
      fromXmp ??= xmpOrientation(latin1(bytes, body, end - body));
    }
    if (marker === START_OF_SCAN) scans += 1;
    at = marker === START_OF_SCAN ? endOfScan(bytes, end) : end;
  }
  if (!frame) return null;
  return {
    format: 'JPEG',
    width: frame.width,
    height: frame.height,
    frames: 1,
    mode: frame.parts === 1 ? 'L' : frame.parts === 4 ? 'CMYK' : 'RGB',
    deep: frame.deep,
    mayBeClear: false,
    progressive: frame.progressive,
    scans,
    orientation: valid(found?.orientation ?? fromXmp),
    decodable: found ? without(bytes, found.at) : bytes,
    whole,
  };
}

/** SOF0 to SOF15, which share numbers with DHT, JPG and DAC. @param {number} marker */
function isFrame(marker) {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** Where the marker after a scan's data stands. @param {Uint8Array} bytes @param {number} from */
function endOfScan(bytes, from) {
  let at = bytes.indexOf(0xff, from);
  while (at >= 0 && at + 1 < bytes.length) {
    const next = bytes[at + 1];
    if (next !== 0 && !(next >= 0xd0 && next <= 0xd7) && next !== 0xff) return at;
    at = bytes.indexOf(0xff, at + 1);
  }
  return bytes.length;
}

/** @param {Uint8Array} bytes @param {number} from @param {number} end @param {string} text */
function startsWith(bytes, from, end, text) {
  return end - from >= text.length && latin1(bytes, from, text.length) === text;
}

/** An orientation 1..8, else 1. @param {number | null} orientation */
export function valid(orientation) {
  return orientation !== null && orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/** A copy in which an EXIF entry has no meaning: its tag is 0. @param {Uint8Array} bytes @param {number} at */
export function without(bytes, at) {
  const copy = bytes.slice();
  copy[at] = 0;
  copy[at + 1] = 0;
  return copy;
}
