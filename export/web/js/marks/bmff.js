// Marks in HEIF and AVIF files: the C2PA box, and the items Exif and XMP of the meta box (train/image/marks/isobmff.py).
import {concatenated, latin1, partition, startsWith, viewOf} from './bytes.js';
import {CUT_SHORT, MAX_MANIFEST, MAX_PARTS, MAX_XMP, TOO_MANY} from './parts.js';

/** @typedef {import('./parts.js').Parts} Parts */

// C2PA specification, A.5.1: the uuid of the box that holds a manifest store.
const C2PA_UUID = '\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81';
const MAX_ITEMS = 4_000;
const MAX_EXTENTS = 16;
const AVIF_BRANDS = ['avif', 'avis'];
const HEIF_BRANDS = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1'];

/** "AVIF", "HEIF" or "" by the brands of the ftyp box (ISO 14496-12). @param {Uint8Array} data */
export function containerOf(data) {
  if (!startsWith(data, 'ftyp', 4)) return '';
  const end = Math.min(viewOf(data).getUint32(0), data.length, 256);
  const brands = [latin1(data.subarray(8, 12))];
  for (let at = 16; at < end; at += 4) brands.push(latin1(data.subarray(at, at + 4)));
  if (brands.some((brand) => AVIF_BRANDS.includes(brand))) return 'AVIF';
  return brands.some((brand) => HEIF_BRANDS.includes(brand)) ? 'HEIF' : '';
}

/** The boxes at the top and those of the meta box; nothing is followed deeper. @param {Uint8Array} data @param {Parts} parts */
export function walkBmff(data, parts) {
  for (const {kind, begin, end} of boxes(data, 0, data.length, parts)) {
    if (kind === 'uuid' && startsWith(data, C2PA_UUID, begin) && begin + 16 <= end && !parts.manifest) {
      readManifest(data.subarray(begin + 16, end), parts);
    } else if (kind === 'meta') {
      readMeta(data, begin + 4, end, parts);
    }
  }
}

/** Version and flags, the purpose with its NUL, an offset of 8 bytes, then the manifest store. @param {Uint8Array} box @param {Parts} parts */
function readManifest(box, parts) {
  const named = box.subarray(4);
  if (named.indexOf(0) < 0) return;
  const [purpose, rest] = partition(named);
  const known = ['manifest', 'original', 'update'].includes(latin1(purpose));
  if (known && !parts.large('C2PA manifest', rest.length, MAX_MANIFEST)) parts.manifest = rest.subarray(8);
}

/**
 * Type, begin and end of the content of each box.
 * @param {Uint8Array} data @param {number} from @param {number} end @param {Parts} parts
 * @returns {Generator<{kind: string, begin: number, end: number}>}
 */
function* boxes(data, from, end, parts) {
  const view = viewOf(data);
  let at = from;
  for (let i = 0; i < MAX_PARTS; i += 1) {
    if (at + 8 > end) return;
    let length = view.getUint32(at);
    const kind = latin1(data.subarray(at + 4, at + 8));
    let header = 8;
    if (length === 1 && at + 16 <= end) {
      length = Number(view.getBigUint64(at + 8));
      header = 16;
    } else if (length === 0) {
      length = end - at;
    }
    if (length < header || at + length > end) {
      parts.fault(CUT_SHORT);
      return;
    }
    yield {kind, begin: at + header, end: at + length};
    at += length;
  }
  parts.fault(TOO_MANY);
}

/** @typedef {{inIdat: boolean, extents: [number, number][]}} Place */

/** @param {Uint8Array} data @param {number} from @param {number} to @param {Parts} parts */
function readMeta(data, from, to, parts) {
  /** @type {Map<number, string>} */
  let items = new Map();
  /** @type {Map<number, Place>} */
  let places = new Map();
  let idat = [0, 0];
  for (const {kind, begin, end} of boxes(data, from, to, parts)) {
    try {
      if (kind === 'iinf') items = readItems(data, begin, end, parts);
      else if (kind === 'iloc') places = readPlaces(data.subarray(begin, end));
      else if (kind === 'idat') idat = [begin, end];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      parts.fault(CUT_SHORT);
    }
  }
  for (const [number, name] of items) {
    const place = places.get(number);
    if (!place) continue;
    if (name === 'Exif' && !parts.exif) {
      const content = contentOf(data, place, idat);
      // Four bytes say how far the TIFF header is away (ISO 23008-12, A.2.1).
      const skip = content.length >= 4 ? viewOf(content).getUint32(0) : 0;
      parts.exif = content.subarray(Math.min(4 + skip, content.length));
    } else if (name === 'XMP' && !parts.xmp) {
      parts.xmp = contentOf(data, place, idat);
    }
  }
}

/** The extents of an item one after the other, at most MAX_XMP bytes. @param {Uint8Array} data @param {Place} place @param {number[]} idat */
function contentOf(data, {inIdat, extents}, idat) {
  const found = [];
  let left = MAX_XMP;
  for (const [offset, length] of extents) {
    const begin = inIdat ? idat[0] + offset : offset;
    const end = Math.min(inIdat ? idat[1] : data.length, begin + Math.min(length, left));
    const part = data.subarray(begin, Math.max(begin, end));
    left -= part.length;
    found.push(part);
  }
  return concatenated(found);
}

/** The items "Exif" and "XMP" by their numbers (ISO 14496-12, 8.11.6). @param {Uint8Array} data @param {number} from @param {number} to @param {Parts} parts */
function readItems(data, from, to, parts) {
  /** @type {Map<number, string>} */
  const found = new Map();
  const view = viewOf(data);
  const start = from + (view.getUint8(from) === 0 ? 6 : 8);
  for (const {kind, begin, end} of boxes(data, start, to, parts)) {
    if (kind !== 'infe' || view.getUint8(begin) < 2) continue;
    const wide = data[begin] >= 3;
    const number = wide ? view.getUint32(begin + 4) : view.getUint16(begin + 4);
    const rest = data.subarray(begin + (wide ? 10 : 8), end);
    if (startsWith(rest, 'Exif')) found.set(number, 'Exif');
    else if (startsWith(rest, 'mime') && latin1(rest.subarray(4, 200)).includes('application/rdf+xml')) {
      found.set(number, 'XMP');
    }
  }
  return found;
}

/** Where the items are (ISO 14496-12, 8.11.3). @param {Uint8Array} box */
function readPlaces(box) {
  const view = viewOf(box);
  const version = view.getUint8(0);
  const sizes = [view.getUint8(4) >> 4, box[4] & 15, view.getUint8(5) >> 4, box[5] & 15];
  const [offsetSize, lengthSize, baseSize, indexSize] = sizes;
  let at = 6;

  /** @param {number} size */
  function number(size) {
    let value = 0;
    for (let i = 0; i < size; i += 1) value = 256 * value + view.getUint8(at + i);
    at += size;
    return value;
  }

  /** @type {Map<number, Place>} */
  const found = new Map();
  const count = number(version === 2 ? 4 : 2);
  for (let i = 0; i < Math.min(count, MAX_ITEMS); i += 1) {
    const item = number(version === 2 ? 4 : 2);
    const indexed = version === 1 || version === 2;
    const method = indexed ? number(2) & 15 : 0;
    number(2);
    const base = number(baseSize);
    /** @type {[number, number][]} */
    const extents = [];
    const extentCount = Math.min(number(2), MAX_EXTENTS);
    for (let extent = 0; extent < extentCount; extent += 1) {
      if (indexed) number(indexSize);
      const offset = number(offsetSize);
      extents.push([base + offset, number(lengthSize)]);
    }
    found.set(item, {inIdat: method === 1, extents});
  }
  return found;
}
