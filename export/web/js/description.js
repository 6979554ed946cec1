// `fauxlens.json`: what a detector file says about itself, read as strictly as export/artifacts/description.py.
import {OPERATING_POINTS} from './decision.js';
import {FauxlensError} from './error.js';
import {NotJson, finite, listOf, parseJson, probability, text, wholeIn} from './json.js';

/** @typedef {import('./json.js').Json} Json */
/** @typedef {import('./json.js').JsonObject} JsonObject */

/**
 * `seen` are the pairs of generator and source in training, null for a file of format 1, which only lists both.
 * @typedef {object} Description
 * @property {number} format
 * @property {string} name
 * @property {string} variant
 * @property {string} view
 * @property {'drop' | 'centre' | 'keep'} unclearFaces
 * @property {string} frontEnd
 * @property {number} size S of the input uint8 [1,S,S,3]
 * @property {[number, number]} heatmap rows and columns
 * @property {Map<import('./decision.js').OperatingPoint, import('./decision.js').Limits>} operatingPoints
 * @property {string[]} generatorsSeen
 * @property {string[]} sourcesSeen
 * @property {string} trainingSha256
 * @property {Map<string, string>} createdBy
 * @property {Map<string, number>} figures
 * @property {string[]} licences
 * @property {{name: string, shortRange: string | null, fullRange: string | null} | null} faceFinder
 */

export const VARIANTS = ['qat-int8', 'ptq-int8', 'dynamic', 'float16', 'float32'];
const NEWEST = 2;
const LONGEST = 10_000;
const SHA256 = /^[0-9a-f]{64}$/;
// What Python's `str.isprintable` refuses. Characters that this browser's Unicode tables do not know are let through,
// for they may be older than those of the Python that wrote the file.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const COMMON_KEYS = [
  'calibration', 'created_by', 'figures', 'format', 'front_end', 'heatmap', 'labels', 'licences', 'name',
  'operating_points', 'size', 'training_sha256', 'unclear_faces', 'variant', 'view',
];
const KEYS = [[], ['generators_seen', 'sources_seen', 'unsure'], ['face_finder', 'seen']];

/**
 * Reads a description.
 * @param {string} json
 * @param {string} name how errors call the file
 * @returns {Description}
 * @throws {FauxlensError} for text that is not JSON, a newer format, a missing or unknown key, a wrong type or range
 */
export function parseDescription(json, name) {
  const file = `${name}: fauxlens.json`;
  const plain = parse(json, file);
  const format = wholeIn(plain.get('format') ?? null, 1, 1 << 30) ?? 1;
  if (format > NEWEST) {
    throw new FauxlensError(`${file} has format ${format}, which was made by a newer Fauxlens: update this page.`);
  }
  const keys = [...COMMON_KEYS, ...KEYS[format]].sort();
  const lacking = keys.find((key) => !plain.has(key));
  if (lacking) throw new FauxlensError(`${file} lacks the key '${lacking}'; export the detector again.`);
  const unknown = [...plain.keys()].filter((key) => !keys.includes(key)).sort()[0];
  if (unknown !== undefined) {
    throw new FauxlensError(`${file} has an unknown key '${unknown}'; export the detector again.`);
  }
  return read(plain, file, format);
}

/** @param {string} json @param {string} file @returns {JsonObject} */
function parse(json, file) {
  let plain;
  try {
    plain = parseJson(json);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    throw new FauxlensError(`${file} is not JSON (${error.message}); export the detector again.`);
  }
  if (!(plain instanceof Map)) {
    throw new FauxlensError(`${file} does not hold a JSON object; export the detector again.`);
  }
  return plain;
}

/** @param {JsonObject} plain @param {string} file @param {number} format @returns {Description} */
function read(plain, file, format) {
  /** @template T @param {string} key @param {string} what @param {(value: Json) => T | null} reader @returns {T} */
  function take(key, what, reader) {
    const value = reader(plain.get(key) ?? null);
    if (value === null) throw new FauxlensError(`${file}: '${key}' must be ${what}; export the detector again.`);
    return value;
  }
  const aLine = 'one line of text';
  const lines = 'a list of lines of text';
  take('format', `the whole number ${format}`, (value) => wholeIn(value, format, format));
  take('labels', '[real, fake] in this order', (value) => (texts(value)?.join() === 'real,fake' ? true : null));
  take('calibration', 'an object of two finite numbers, scale and bias', (value) => {
    const numbers = mapOf(value, finite);
    return numbers?.size === 2 && numbers.has('scale') && numbers.has('bias') ? numbers : null;
  });
  const heatmap = take('heatmap', 'two whole numbers, rows and columns', (value) => {
    const sides = listOf(value, (side) => wholeIn(side, 1, 4096));
    return sides?.length === 2 ? /** @type {[number, number]} */ ([sides[0], sides[1]]) : null;
  });
  const points = `what each of ${OPERATING_POINTS.join(', ')} needs`;
  const band =
    format > 1
      ? null
      : take('unsure', 'two probabilities, low then high', (value) => {
          const pair = listOf(value, probability);
          return pair?.length === 2 && pair[0] <= pair[1] ? pair : null;
        });
  const seen =
    format > 1
      ? take('seen', 'a list of pairs, generator and source', pairs)
      : null;
  return {
    format,
    name: take('name', aLine, line),
    variant: take('variant', `one of ${VARIANTS.join(', ')}`, (value) => oneOf(value, VARIANTS)),
    view: take('view', aLine, line),
    unclearFaces: take('unclear_faces', 'one of drop, centre, keep', (value) =>
      oneOf(value, /** @type {const} */ (['drop', 'centre', 'keep'])),
    ),
    frontEnd: take('front_end', aLine, line),
    size: take('size', 'a whole number of pixels, 8 to 4096', (value) => wholeIn(value, 8, 4096)),
    heatmap,
    operatingPoints: take('operating_points', points, (value) => (band ? fromBand(value, band) : limits(value))),
    generatorsSeen: seen ? unique(seen.map((pair) => pair[0])) : take('generators_seen', lines, texts),
    sourcesSeen: seen ? unique(seen.map((pair) => pair[1])) : take('sources_seen', lines, texts),
    trainingSha256: take('training_sha256', '64 hexadecimal digits', sha256Text),
    createdBy: take('created_by', 'an object of package names and versions', (value) => mapOf(value, line)),
    figures: take('figures', 'an object of finite numbers', (value) => mapOf(value, finite)),
    licences: take('licences', lines, texts),
    faceFinder: format > 1 && plain.get('face_finder') !== null ? take('face_finder', 'null, or an object of lines of text with a name', finder) : null,
  };
}

/** Limits of format 1: a threshold a point and one unsure band, with the decisions that they had there.
 * @param {Json} value @param {number[]} band */
function fromBand(value, [low, high]) {
  const thresholds = mapOf(value, probability);
  if (!thresholds || !hasEveryPoint(thresholds)) return null;
  return new Map(
    OPERATING_POINTS.map((point) => {
      const threshold = /** @type {number} */ (thresholds.get(point));
      const fakeFrom = point === 'balanced' ? Math.max(threshold, high) : threshold;
      return [point, {fakeFrom, unsureFrom: Math.min(threshold, low)}];
    }),
  );
}

/** @param {Json} value */
function limits(value) {
  const points = mapOf(value, (one) => {
    const pair = mapOf(one, probability);
    const fakeFrom = pair?.get('fake_from');
    const unsureFrom = pair?.get('unsure_from');
    if (pair?.size !== 2 || fakeFrom === undefined || unsureFrom === undefined || unsureFrom > fakeFrom) return null;
    return {fakeFrom, unsureFrom};
  });
  if (!points || !hasEveryPoint(points)) return null;
  return /** @type {Description['operatingPoints']} */ (points);
}

/** @param {Map<string, unknown>} map */
function hasEveryPoint(map) {
  return map.size === OPERATING_POINTS.length && OPERATING_POINTS.every((point) => map.has(point));
}

/** @param {Json} value */
function finder(value) {
  const parts = mapOf(value, line);
  const name = parts?.get('name');
  return name ? {name, shortRange: parts?.get('short_range') ?? null, fullRange: parts?.get('full_range') ?? null} : null;
}

/** @param {Json} value */
function pairs(value) {
  return listOf(value, (pair) => {
    const both = texts(pair);
    return both?.length === 2 ? both : null;
  });
}

/** @param {Json} value */
function line(value) {
  const whole = text(value);
  return whole && [...whole].length <= LONGEST && !HIDDEN.test(whole) ? whole : null;
}

/** @param {Json} value */
function texts(value) {
  return listOf(value, line);
}

/** @param {Json} value */
function sha256Text(value) {
  const whole = text(value);
  return whole && SHA256.test(whole) ? whole : null;
}

/** @template {string} T @param {Json} value @param {readonly T[]} choices @returns {T | null} */
function oneOf(value, choices) {
  return choices.find((choice) => choice === value) ?? null;
}

/** @template T @param {Json} value @param {(item: Json) => T | null} reader @returns {Map<string, T> | null} */
function mapOf(value, reader) {
  if (!(value instanceof Map)) return null;
  const result = new Map();
  for (const [key, item] of value) {
    const held = reader(item);
    if (line(key) === null || held === null) return null;
    result.set(key, held);
  }
  return result;
}

/** @param {string[]} items */
function unique(items) {
  return [...new Set(items)].sort();
}
