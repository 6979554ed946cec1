// PKWARE APPNOTE 6.3: local file header 4.3.7, central directory 4.3.12, end of central directory 4.3.16.
import {FauxlensError} from './error.js';
import {crc32} from './hash.js';

export const END_SIGNATURE = 0x06054b50;
export const END_BYTES = 22;
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const MAX_MEMBERS = 1000;
// The newest version "needed to extract" that APPNOTE 6.3 knows.
const NEWEST_VERSION = 63;
const ENCRYPTED = 0x1;
const PATCHED = 0x20;
const STRONGLY_ENCRYPTED = 0x40;
const FILE_TYPE = 0xf000;
const REGULAR_FILE = 0x8000;
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** @typedef {{name: string, header: number, crc: number, size: number}} Entry */

/**
 * Reads the stored members of a zip whose end record stands at `end`; nothing unpacks, so nothing grows.
 * @param {Uint8Array} bytes
 * @param {DataView} data the same bytes
 * @param {number} end
 * @param {string} name how errors call the file
 */
export function readStored(bytes, data, end, name) {
  const directory = end - data.getUint32(end + 12, true);
  // What stands before a zip may or may not be counted in its offsets.
  const shift = directory - data.getUint32(end + 16, true);
  if (directory < 0 || shift < 0) throw unreadable(name, 'its directory lies outside');
  const entries = readDirectory(bytes, data, directory, end, shift, name).sort((a, b) => a.header - b.header);
  /** @type {Map<string, Uint8Array>} */
  const members = new Map();
  entries.forEach((entry, index) => {
    members.set(entry.name, readMember(bytes, data, entry, entries[index + 1]?.header ?? directory, name));
  });
  return {start: entries[0]?.header ?? end, members};
}

/**
 * @param {Uint8Array} bytes @param {DataView} data @param {number} directory @param {number} end
 * @param {number} shift @param {string} name
 */
function readDirectory(bytes, data, directory, end, shift, name) {
  /** @type {Entry[]} */
  const entries = [];
  const seen = new Set();
  let at = directory;
  while (at < end) {
    if (entries.length === MAX_MEMBERS) {
      throw new FauxlensError(`${name} has more than ${MAX_MEMBERS} members; it was not made by Fauxlens.`);
    }
    if (end - at < CENTRAL_BYTES || data.getUint32(at, true) !== CENTRAL_SIGNATURE) {
      throw unreadable(name, 'its directory is broken');
    }
    const nameLength = data.getUint16(at + 28, true);
    const next = at + CENTRAL_BYTES + nameLength + data.getUint16(at + 30, true) + data.getUint16(at + 32, true);
    if (next > end) throw unreadable(name, 'its directory is truncated');
    const member = latin1(bytes, at + CENTRAL_BYTES, nameLength);
    if (!NAME.test(member) || seen.has(member)) {
      throw new FauxlensError(
        `${name} has a member named '${member}', which is unsafe or repeated; it was not made by Fauxlens.`,
      );
    }
    seen.add(member);
    checkKind(data, at, member, name);
    const header = data.getUint32(at + 42, true) + shift;
    if (header > directory) throw unreadable(name, `${member} lies outside`);
    entries.push({name: member, header, crc: data.getUint32(at + 16, true), size: data.getUint32(at + 24, true)});
    at = next;
  }
  return entries;
}

/** @param {DataView} data @param {number} at @param {string} member @param {string} name */
function checkKind(data, at, member, name) {
  const flags = data.getUint16(at + 8, true);
  const type = data.getUint16(at + 40, true) & FILE_TYPE;
  if (type !== 0 && type !== REGULAR_FILE) {
    throw new FauxlensError(
      `${name}: member ${member} is a link or a device, not a file; it was not made by Fauxlens.`,
    );
  }
  const stored = data.getUint16(at + 10, true) === 0 && data.getUint32(at + 20, true) === data.getUint32(at + 24, true);
  if (!stored || flags & ENCRYPTED) {
    throw new FauxlensError(
      `${name}: member ${member} is compressed or encrypted, which Fauxlens never does; make the file again.`,
    );
  }
  if (data.getUint16(at + 6, true) > NEWEST_VERSION || flags & (PATCHED | STRONGLY_ENCRYPTED)) {
    throw unreadable(name, `${member} needs a newer reader`);
  }
}

/** @param {Uint8Array} bytes @param {DataView} data @param {Entry} entry @param {number} end @param {string} name */
function readMember(bytes, data, entry, end, name) {
  const at = entry.header;
  if (at + LOCAL_BYTES > end || data.getUint32(at, true) !== LOCAL_SIGNATURE) {
    throw unreadable(name, `${entry.name} has no header of its own`);
  }
  const nameLength = data.getUint16(at + 26, true);
  const from = at + LOCAL_BYTES + nameLength + data.getUint16(at + 28, true);
  if (from + entry.size > end) throw unreadable(name, `${entry.name} overlaps another or is truncated`);
  if (latin1(bytes, at + LOCAL_BYTES, nameLength) !== entry.name) {
    throw unreadable(name, `${entry.name} is called otherwise in its own header`);
  }
  const content = bytes.subarray(from, from + entry.size);
  if (crc32(content) !== entry.crc) throw unreadable(name, `${entry.name} has a wrong checksum`);
  return content;
}

/** @param {string} name @param {string} why */
function unreadable(name, why) {
  return new FauxlensError(`${name} cannot be unpacked (${why}); make it again with \`fauxlens export\`.`);
}

/** Bytes as ISO 8859-1 text. @param {Uint8Array} bytes @param {number} from @param {number} length */
export function latin1(bytes, from, length) {
  let result = '';
  for (let i = from; i < from + length; i += 1) result += String.fromCharCode(bytes[i]);
  return result;
}
