// The few properties of an XMP packet that say how a picture was made (train/image/marks/xmp.py): read by a small XML
// reader that resolves nothing and stops where a document type or an entity is declared.
import {latin1, startsWith, utf16} from './bytes.js';

const REFUSED = 'The XMP packet declares entities or a document type: it was not read.';
const DAMAGED = 'The XMP packet is damaged: only its beginning was read.';
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 50_000;
const MAX_VALUE = 100_000;
const IPTC = 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/';
const RESOURCE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns# resource';
// Namespace and local name -> name here.
const WANTED = new Map([
  [`${IPTC} DigitalSourceType`, 'DigitalSourceType'],
  [`${IPTC} AISystemUsed`, 'AISystemUsed'],
  ['http://ns.adobe.com/xap/1.0/ CreatorTool', 'CreatorTool'],
  ['http://ns.adobe.com/photoshop/1.0/ Credit', 'Credit'],
  ['http://purl.org/dc/elements/1.1/ description', 'Description'],
  ['http://ns.adobe.com/exif/1.0/ UserComment', 'UserComment'],
  ['http://purl.org/dc/terms/ provenance', 'provenance'],
  ['http://www.tc260.org.cn/ns/AIGC/1.0/ AIGC', 'AIGC'],
]);
const ENTITIES = new Map([['lt', '<'], ['gt', '>'], ['amp', '&'], ['quot', '"'], ['apos', "'"]]);
// Names of XML 1.0 with at most one colon (Namespaces in XML 1.0); beyond ASCII every character is taken.
const PART = '[A-Za-z_\\u0080-\\uffff][-.0-9A-Za-z_\\u0080-\\uffff]*';
const NAME = `${PART}(?::${PART})?`;
// Characters that no XML has.
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const TAG = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`, 'y');
const ATTRIBUTE = new RegExp(`(${NAME})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'g');

class Damaged extends Error {}
class Refused extends Error {}

/**
 * The first value of each wanted property, as attribute, element or rdf:resource.
 * @param {Uint8Array} packet
 * @param {(sentence: string) => void} fault is told what is wrong
 * @returns {Map<string, string>}
 */
export function readXmp(packet, fault) {
  /** @type {Map<string, string>} */
  const found = new Map();
  try {
    const {text, whole} = decoded(packet);
    const end = text.search(FORBIDDEN);
    read(end < 0 ? text : text.slice(0, end), found);
    if (!whole || end >= 0) throw new Damaged();
  } catch (error) {
    if (error instanceof Refused) {
      fault(REFUSED);
      return new Map();
    }
    if (!(error instanceof Damaged)) throw error;
    fault(DAMAGED);
  }
  return found;
}

/** The text, as far as its bytes are one. @param {Uint8Array} packet may be padded by NUL bytes and stand in UTF-16 */
function decoded(packet) {
  let start = 0;
  let end = packet.length;
  const isPadding = (/** @type {number} */ byte) => [0, 0x20, 0x0d, 0x0a, 0x09].includes(byte);
  while (start < end && isPadding(packet[start])) start += 1;
  while (end > start && isPadding(packet[end - 1])) end -= 1;
  const bytes = packet.subarray(start, end);
  if (startsWith(bytes, '\xff\xfe')) return {text: utf16(bytes.subarray(2), 'utf-16le'), whole: true};
  if (startsWith(bytes, '\xfe\xff')) return {text: utf16(bytes.subarray(2), 'utf-16be'), whole: true};
  if (/encoding=["']iso-8859-1["']/i.test(latin1(bytes.subarray(0, 100)))) return {text: latin1(bytes), whole: true};
  try {
    return {text: new TextDecoder('utf-8', {fatal: true}).decode(bytes), whole: true};
  } catch {
    return {text: new TextDecoder().decode(bytes).split('\ufffd', 1)[0], whole: false};
  }
}

/** An open element; `spaces` are the namespaces that it declares itself. @typedef {{tag: string, wanted: string | null, spaces: Map<string, string>}} Open */

/** @param {string} text @param {Map<string, string>} found */
function read(text, found) {
  /** @type {Open[]} */
  const open = [];
  let value = '';
  let elements = 0;
  let at = 0;
  let rootSeen = false;
  while (at < text.length) {
    const next = text.indexOf('<', at);
    const characters = text.slice(at, next < 0 ? text.length : next);
    if (open.length) {
      if (open.some(({wanted}) => wanted)) value = (value + resolved(characters)).slice(0, 2 * MAX_VALUE);
      else resolved(characters);
    } else if (characters.trim()) {
      throw new Damaged();
    }
    if (next < 0) break;
    at = next;
    const skipped = skipMarkup(text, at);
    if (skipped) {
      if (skipped.characters && open.some(({wanted}) => wanted)) value += skipped.characters;
      at = skipped.end;
      continue;
    }
    TAG.lastIndex = at;
    const match = TAG.exec(text);
    if (!match) throw new Damaged();
    at += match[0].length;
    const [, closes, tag, attributes, empties] = match;
    if (closes) {
      if (attributes || empties) throw new Damaged();
      value = close(open, tag, value, found);
      continue;
    }
    if (!open.length && rootSeen) throw new Damaged();
    rootSeen = true;
    elements += 1;
    if (open.length >= MAX_DEPTH || elements > MAX_ELEMENTS) throw new Refused();
    const opened = begin(tag, attributes, open, found);
    open.push(opened);
    if (opened.wanted) value = '';
    if (empties) value = close(open, tag, value, found);
  }
  if (open.length || !rootSeen) throw new Damaged();
}

/** Comments, processing instructions and CDATA; null where there is none. @param {string} text @param {number} at */
function skipMarkup(text, at) {
  for (const [start, stop] of [['<!--', '-->'], ['<?', '?>'], ['<![CDATA[', ']]>']]) {
    if (text.startsWith(start, at)) {
      const end = text.indexOf(stop, at + start.length);
      if (end < 0) throw new Damaged();
      const characters = start === '<![CDATA[' ? text.slice(at + start.length, end) : '';
      return {characters, end: end + stop.length};
    }
  }
  // A document type, in which alone entities are declared.
  if (text.startsWith('<!', at)) throw new Refused();
  return null;
}

/** @param {string} tag @param {string} attributes @param {Open[]} open @param {Map<string, string>} found @returns {Open} */
function begin(tag, attributes, open, found) {
  const pairs = Array.from(attributes.matchAll(ATTRIBUTE), (one) => [one[1], resolved(one[2] ?? one[3]).replace(/[\t\n\r]/g, ' ')]);
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new Damaged();
  const spaces = new Map();
  for (const [name, text] of pairs) {
    if (name === 'xmlns') spaces.set('', text);
    else if (name.startsWith('xmlns:')) spaces.set(name.slice(6), text);
  }
  // Looked up along the open elements, which are few: copies of all that is declared would take minutes.
  const scopes = [{spaces}, ...[...open].reverse()];
  const wanted = WANTED.get(placeOf(tag, scopes, true)) ?? null;
  for (const [name, text] of pairs) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    const place = placeOf(name, scopes, false);
    const property = WANTED.get(place) ?? (place === RESOURCE ? wanted : null);
    if (property && !found.has(property)) found.set(property, text.slice(0, MAX_VALUE));
  }
  return {tag, wanted, spaces};
}

/** @param {Open[]} open @param {string} tag @param {string} value @param {Map<string, string>} found @returns {string} */
function close(open, tag, value, found) {
  const closed = open.pop();
  if (closed?.tag !== tag) throw new Damaged();
  const content = value.trim().slice(0, MAX_VALUE);
  if (closed.wanted && content && !found.has(closed.wanted)) found.set(closed.wanted, content);
  return closed.wanted ? '' : value;
}

/** Namespace and local name; the innermost scope is the first. @param {string} name @param {{spaces: Map<string, string>}[]} scopes @param {boolean} isElement */
function placeOf(name, scopes, isElement) {
  const spaceOf = (/** @type {string} */ prefix) => scopes.find(({spaces}) => spaces.has(prefix))?.spaces.get(prefix);
  const colon = name.indexOf(':');
  if (colon < 0) return isElement && spaceOf('') ? `${spaceOf('')} ${name}` : name;
  const space = spaceOf(name.slice(0, colon));
  if (space === undefined && !name.startsWith('xml:')) throw new Damaged();
  return `${space} ${name.slice(colon + 1)}`;
}

/** @param {string} text */
function resolved(text) {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]*);?/g, (whole, name) => {
    if (!whole.endsWith(';')) throw new Damaged();
    const numeric = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(name);
    const code = numeric ? parseInt(numeric[1] ?? numeric[2], numeric[1] ? 16 : 10) : -1;
    if (code > 0 && code <= 0x10ffff) return String.fromCodePoint(code);
    const known = ENTITIES.get(name);
    if (known === undefined) throw new Damaged();
    return known;
  });
}
