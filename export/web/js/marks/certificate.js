// The name in an X.509 certificate: no more of it than a person is shown (train/image/marks/certificate.py).
import {latin1, utf16, utf8} from './bytes.js';

const CONTEXT_0 = 0xa0;
const WIDE = 0x1e;
// X.520: common name and organisation.
const COMMON_NAME = '\x55\x04\x03';
const ORGANISATION = '\x55\x04\x0a';
const MOST_CHILDREN = 64;

/** The organisation of a certificate's subject (DER), else its common name, else "". @param {Uint8Array} certificate */
export function subjectOf(certificate) {
  /** @type {Map<string, string>} */
  const names = new Map();
  try {
    const fields = children(children(children(certificate)[0].content)[0].content);
    // RFC 5280, 4.1: version [0] where it is not 1, serial number, algorithm, issuer, validity, subject.
    for (const relative of children(fields[fields[0].tag === CONTEXT_0 ? 5 : 4].content)) {
      for (const pair of children(relative.content)) {
        const [kind, value] = children(pair.content);
        const text = value.tag === WIDE ? utf16(value.content, 'utf-16be') : utf8(value.content);
        const key = latin1(kind.content);
        if (!names.has(key)) names.set(key, text);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
    return '';
  }
  return names.get(ORGANISATION) || names.get(COMMON_NAME) || '';
}

/** The elements of a DER sequence or set. @param {Uint8Array} data @returns {{tag: number, content: Uint8Array}[]} */
function children(data) {
  const found = [];
  let at = 0;
  while (at < data.length && found.length < MOST_CHILDREN) {
    const tag = data[at];
    let length = data[at + 1];
    if (length === undefined) throw new RangeError('ends too soon');
    at += 2;
    if (length & 0x80) {
      const size = length & 0x7f;
      if (size > 4 || at + size > data.length) throw new RangeError('ends too soon');
      length = data.subarray(at, at + size).reduce((value, byte) => 256 * value + byte, 0);
      at += size;
    }
    if (at + length > data.length) throw new RangeError('ends too soon');
    found.push({tag, content: data.subarray(at, at + length)});
    at += length;
  }
  return found;
}
