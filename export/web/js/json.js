// JSON as strict as Python's json module is as export/artifacts/strict_json.py sets it up: a key stands once, and
// numbers remember how they were written, since 1 and 1.0 are different things there. JSON.parse knows neither.

/** A number as it is written. */
export class JsonNumber {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  /** Whether it is written without fraction and exponent. */
  get whole() {
    return /^-?[0-9]+$/.test(this.text);
  }
}

/** @typedef {null | boolean | string | JsonNumber | JsonArray | JsonObject} Json */
/** @typedef {Json[]} JsonArray */
/** @typedef {Map<string, Json>} JsonObject */

/** Text that is not JSON; the message says what and at which character. */
export class NotJson extends Error {}

const DEEPEST = 200;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const ESCAPES = new Map(Object.entries({'"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t'}));
const WORDS = /** @type {[string, Json][]} */ ([['true', true], ['false', false], ['null', null]]);

/**
 * @param {string} text
 * @returns {Json}
 * @throws {NotJson}
 */
export function parseJson(text) {
  let at = 0;

  /** @param {string} what @returns {never} */
  function fail(what) {
    throw new NotJson(`${what} at character ${at}`);
  }

  function skipSpace() {
    while (at < text.length && ' \t\n\r'.includes(text[at])) at += 1;
  }

  /** @param {string} char */
  function take(char) {
    if (text[at] !== char) fail(`no '${char}'`);
    at += 1;
  }

  /** @param {string} open @param {string} close @param {() => void} item */
  function items(open, close, item) {
    take(open);
    skipSpace();
    if (text[at] === close) {
      at += 1;
      return;
    }
    for (;;) {
      skipSpace();
      item();
      skipSpace();
      if (text[at] === close) break;
      take(',');
    }
    at += 1;
  }

  function string() {
    take('"');
    let result = '';
    for (;;) {
      const char = text[at];
      if (char === undefined || char < ' ') fail('a control character or the end inside a text');
      at += 1;
      if (char === '"') return result;
      result += char === '\\' ? escape() : char;
    }
  }

  function escape() {
    const char = text[at];
    at += 1;
    if (char === 'u') {
      const digits = text.slice(at, at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) fail('a \\u without four hexadecimal digits');
      at += 4;
      return String.fromCharCode(parseInt(digits, 16));
    }
    return ESCAPES.get(char) ?? fail('an unknown escape');
  }

  /** @param {number} depth @returns {Json} */
  function value(depth) {
    if (depth > DEEPEST) fail('values nested too deeply');
    skipSpace();
    const char = text[at];
    if (char === '"') return string();
    if (char === '[') {
      /** @type {JsonArray} */
      const array = [];
      items('[', ']', () => array.push(value(depth + 1)));
      return array;
    }
    if (char === '{') {
      /** @type {JsonObject} */
      const object = new Map();
      items('{', '}', () => {
        if (text[at] !== '"') fail('a key without quotes');
        const key = string();
        skipSpace();
        take(':');
        const member = value(depth + 1);
        if (object.has(key)) fail(`the key '${key}' is written twice`);
        object.set(key, member);
      });
      return object;
    }
    for (const [word, meaning] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    NUMBER.lastIndex = at;
    const match = NUMBER.exec(text) ?? fail('something that is no value');
    at += match[0].length;
    return new JsonNumber(match[0]);
  }

  const result = value(0);
  skipSpace();
  if (at < text.length) fail('more text after the value');
  return result;
}

/**
 * The text of strict UTF-8, null where it is something else. A byte order mark stays, and then it is no JSON.
 * @param {Uint8Array} bytes
 */
export function utf8(bytes) {
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
  } catch {
    return null;
  }
}

/** A whole number within bounds; null for anything else, also for 1.0 and 1e0. @param {Json} value @param {number} low @param {number} high */
export function wholeIn(value, low, high) {
  if (!(value instanceof JsonNumber) || !value.whole) return null;
  const number = Number(value.text);
  return number >= low && number <= high ? number : null;
}

/** A finite number, else null. @param {Json} value */
export function finite(value) {
  const number = value instanceof JsonNumber ? Number(value.text) : NaN;
  return Number.isFinite(number) ? number : null;
}

/** A number in 0..1, else null. @param {Json} value */
export function probability(value) {
  const number = finite(value);
  return number !== null && number >= 0 && number <= 1 ? number : null;
}

/**
 * A list whose items are all of one kind: `read` gives null for one that is not; null where it is no such list.
 * @template T
 * @param {Json} value
 * @param {(item: Json) => T | null} read
 * @returns {T[] | null}
 */
export function listOf(value, read) {
  if (!Array.isArray(value)) return null;
  const items = value.map(read);
  return items.includes(null) ? null : /** @type {T[]} */ (items);
}

/** A text, else null. @param {Json} value */
export function text(value) {
  return typeof value === 'string' ? value : null;
}
