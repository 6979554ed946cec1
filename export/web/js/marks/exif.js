// The few EXIF fields that say where a picture comes from (train/image/marks/exif.py), bounded.
import {partition, startsWith, utf16, utf8OrLatin1, viewOf} from './bytes.js';

const MAX_ENTRIES = 1_000;
const MAX_VALUE = 1 << 20;
const LOOPS = 'The EXIF directories point in a circle or out of the file: the rest of them was not read.';
// EXIF 2.32 and TIFF 6.0.
const NAMES = new Map([
  [0x010e, 'ImageDescription'], [0x010f, 'Make'], [0x0110, 'Model'], [0x0131, 'Software'], [0x013b, 'Artist'],
  [0x8298, 'Copyright'], [0x9003, 'DateTimeOriginal'], [0x9286, 'UserComment'], [0x9c9c, 'XPComment'],
  [0x02bc, 'XMP'], [0x83bb, 'IPTC'], [0xcd41, 'C2PA'],
]);
const EXIF_DIRECTORY = 0x8769;
const SIZES = new Map([[1, 1], [2, 1], [3, 2], [4, 4], [7, 1], [13, 4]]);

/**
 * The fields that a TIFF structure has, as they stand: of its first directory, its EXIF directory and no others.
 * @param {Uint8Array} tiff
 * @param {(sentence: string) => void} fault is told what is wrong
 * @returns {Map<string, Uint8Array>}
 */
export function readExif(tiff, fault) {
  /** @type {Map<string, Uint8Array>} */
  const found = new Map();
  const little = startsWith(tiff, 'II');
  if ((!little && !startsWith(tiff, 'MM')) || tiff.length < 8) {
    fault('The EXIF block has no byte order mark: it was not read.');
    return found;
  }
  const first = viewOf(tiff).getUint32(4, little);
  /** @type {Map<number, number>} */
  const numbers = new Map();
  const following = readDirectory(tiff, little, first, found, numbers, fault);
  const inner = numbers.get(EXIF_DIRECTORY);
  if (inner === first) fault(LOOPS);
  else if (inner !== undefined) readDirectory(tiff, little, inner, found, new Map(), fault);
  if (following === first) fault(LOOPS);
  // The thumbnail's directory, for its faults alone.
  else if (following) readDirectory(tiff, little, following, new Map(), new Map(), fault);
  return found;
}

/**
 * Reads one directory; returns where the next one begins, 0 for nowhere.
 * @param {Uint8Array} tiff @param {boolean} little @param {number} at @param {Map<string, Uint8Array>} found
 * @param {Map<number, number>} numbers @param {(sentence: string) => void} fault
 */
function readDirectory(tiff, little, at, found, numbers, fault) {
  const view = viewOf(tiff);
  if (at + 2 > tiff.length) {
    fault(LOOPS);
    return 0;
  }
  const count = view.getUint16(at, little);
  for (let entry = 0; entry < Math.min(count, MAX_ENTRIES); entry += 1) {
    const place = at + 2 + 12 * entry;
    if (place + 12 > tiff.length) {
      fault(LOOPS);
      return 0;
    }
    const tag = view.getUint16(place, little);
    const kind = view.getUint16(place + 2, little);
    const values = view.getUint32(place + 4, little);
    const length = values * (SIZES.get(kind) ?? 0);
    if ((kind === 3 || kind === 4) && values === 1) {
      numbers.set(tag, kind === 3 ? view.getUint16(place + 8, little) : view.getUint32(place + 8, little));
    }
    const name = NAMES.get(tag);
    if (!name || found.has(name) || !length) continue;
    const begin = length <= 4 ? place + 8 : view.getUint32(place + 8, little);
    if (begin + length > tiff.length) fault(LOOPS);
    else if (length <= MAX_VALUE) found.set(name, tiff.subarray(begin, begin + length));
  }
  const after = at + 2 + 12 * count;
  return after + 4 <= tiff.length ? view.getUint32(after, little) : 0;
}

/** The text of an ASCII field: up to its NUL, UTF-8 where it is that, else Latin-1. @param {Uint8Array} value */
export function textOf(value) {
  let [raw] = partition(value);
  const isBlank = (/** @type {number} */ byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
  while (raw.length && isBlank(raw[0])) raw = raw.subarray(1);
  while (raw.length && isBlank(raw[raw.length - 1])) raw = raw.subarray(0, -1);
  return utf8OrLatin1(raw);
}

/** The text of a field, which may be in an encoding of its own. @param {string} name @param {Uint8Array} value */
export function fieldText(name, value) {
  if (name === 'UserComment') return commentOf(value);
  return name === 'XPComment' ? stripped(utf16(value, 'utf-16le')) : textOf(value);
}

/**
 * The text of UserComment: eight bytes name the encoding (EXIF 2.32, 4.6.5). "UNICODE" is UTF-16 in either order: a NUL in
 * the first byte of the text means big-endian.
 * @param {Uint8Array} value
 */
function commentOf(value) {
  const raw = value.subarray(8);
  if (startsWith(value, 'UNICODE\0')) return stripped(utf16(raw, raw[0] === 0 ? 'utf-16be' : 'utf-16le'));
  return textOf(startsWith(value, 'ASCII\0\0\0') || startsWith(value, '\0'.repeat(8)) ? raw : value);
}

/** Without NUL and blanks at both ends. @param {string} text */
function stripped(text) {
  return text.replace(/^[\0 ]+|[\0 ]+$/g, '');
}
