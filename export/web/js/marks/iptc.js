// IPTC's older records (IIM): who is credited, and the program (train/image/marks/iptc.py).
import {utf8OrLatin1} from './bytes.js';

const MAX_RECORDS = 1_000;
// IPTC-NAA Information Interchange Model 4.2, record 2.
const NAMES = new Map([[65, 'Originating Program'], [80, 'By-line'], [110, 'Credit'], [115, 'Source'], [120, 'Caption']]);

/** The first value of each known field. @param {Uint8Array} record @returns {Map<string, string>} */
export function readIptc(record) {
  const found = new Map();
  let at = 0;
  for (let i = 0; i < MAX_RECORDS && at + 5 <= record.length && record[at] === 0x1c; i += 1) {
    const length = (record[at + 3] << 8) | record[at + 4];
    if (length & 0x8000) break;
    const name = record[at + 1] === 2 ? NAMES.get(record[at + 2]) : undefined;
    if (name && !found.has(name)) found.set(name, utf8OrLatin1(record.subarray(at + 5, at + 5 + length)));
    at += 5 + length;
  }
  return found;
}
