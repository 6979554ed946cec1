// The bundle: detector variants, model card and references in one sealed zip (export/artifacts/bundle.py).
import {VARIANTS} from './description.js';
import {readDetectorFile} from './detector_file.js';
import {FauxlensError} from './error.js';
import {NETWORKS} from './face_networks.js';
import {sha256} from './hash.js';
import {NotJson, JsonNumber, listOf, parseJson, probability, text, utf8, wholeIn} from './json.js';
import {readNpy} from './npy.js';
import {readSealed} from './seal.js';

/** @typedef {import('./json.js').Json} Json */
/** @typedef {import('./detector_file.js').DetectorFile} DetectorFile */
/** @typedef {import('./view.js').Eyes} Eyes */
/** @typedef {Map<string, Uint8Array>} Members */

/**
 * `pictures` are original files; the arrays' first axis is that of `names`; `decodedSha256` is that of a picture's RGB
 * bytes, row by row as stored; `stages` maps "tflite/VARIANT" and others to P(fake).
 * @typedef {{names: string[], pictures: Uint8Array[], decodedSha256: string[], eyes: (Eyes | null)[],
 *   views: Uint8Array, stages: Map<string, Float32Array>, heatmaps: Map<string, Float32Array>}} References
 */

/**
 * `default` names the variant that ships; `faceFinder` holds the face finder's models by member name, empty where the
 * view has no face(k).
 * @typedef {{variants: Map<string, DetectorFile>, default: string, card: string, references: References,
 *   faceFinder: Members, sha256: string}} Bundle
 */

const NEWEST = 2;
const INDEX = 'bundle.json';
const CARD = 'model_card.md';
const STAGES = 'reference/stages.json';
const FINDER_LICENCE = 'face_finder/LICENSE';
const KEYS = ['default', 'format', 'gradcam', 'heatmaps', 'pictures', 'sha256', 'tolerances', 'variants'];
const PICTURE_KEYS = ['eyes', 'member', 'name', 'pixels_sha256'];
const LIMITS = ['flips', 'mean', 'p99'];
const LIMITED = ['converting', 'quantising', 'runtime'];
const TOLERANCES = [...LIMITED, 'float_rounding', 'heatmap_least', 'heatmap_mean'].sort();
// Which Keras state a variant was converted from (export/artifacts/bundle.py LINEAGE).
const LINEAGE = new Map([
  ['qat-int8', 'keras-qat'], ['ptq-int8', 'keras-ptq'],
  ['dynamic', 'keras-float'], ['float16', 'keras-float'], ['float32', 'keras-float'],
]);
const KERAS_STAGES = ['keras-float', 'keras-ptq', 'keras-qat'];

/** The name of a variant's own stage. @param {string} variant */
export const tfliteStage = (variant) => `tflite/${variant}`;

/**
 * Opens a bundle and checks all of it.
 * @param {Uint8Array} bytes
 * @param {string} name how errors call it
 * @returns {Promise<Bundle>}
 * @throws {FauxlensError} where it is damaged, newer or does not fit together
 */
export async function readBundle(bytes, name) {
  const {start, members} = await readSealed(bytes, name);
  const json = members.get(INDEX);
  if (start > 0 || !json) {
    throw new FauxlensError(`${name} is not a Fauxlens bundle (it has no ${INDEX}); make one with \`fauxlens export\`.`);
  }
  members.delete(INDEX);
  const index = await readIndex(json, members, name);
  const take = taker(members, name);
  /** @type {Map<string, DetectorFile>} */
  const variants = new Map();
  for (const variant of index.variants) {
    const member = `detectors/${variant}.tflite`;
    variants.set(variant, await readDetectorFile(take(member), `${name}: ${member}`));
  }
  const card = utf8(take(CARD));
  if (card === null) throw new FauxlensError(`${name}: ${CARD} is not UTF-8; export it again.`);
  const {references, check} = readReferences(take, index, name);
  const shipped = /** @type {DetectorFile} */ (variants.get(index.default));
  const faceFinder = index.format > 1 ? await takeFaceFinder(take, shipped.view, name) : new Map();
  const extra = [...members.keys()].sort()[0];
  if (extra !== undefined) {
    throw new FauxlensError(`${name} has an extra member ${extra}; make it again with \`fauxlens export\`.`);
  }
  for (const [variant, file] of variants) check(variant, file, shipped.description.view);
  checkStages(references, index.gradcam, [...variants.keys()], name);
  return {variants, default: index.default, card, references, faceFinder, sha256: await sha256(bytes)};
}

/** @param {Members} members @param {string} name @returns {(member: string) => Uint8Array} */
function taker(members, name) {
  return (member) => {
    const bytes = members.get(member);
    if (!bytes) throw new FauxlensError(`${name} lacks the member ${member}; export it again.`);
    members.delete(member);
    return bytes;
  };
}

/** @typedef {{name: string, member: string, pixelsSha256: string, eyes: Eyes | null}} PictureEntry */
/** @typedef {{format: number, default: string, variants: string[], pictures: PictureEntry[], heatmaps: string[],
 *   gradcam: string[], sha256: Map<string, string>}} Index */

/** @param {Uint8Array} bytes @param {Members} members @param {string} name @returns {Promise<Index>} */
async function readIndex(bytes, members, name) {
  const plain = readJson(bytes, INDEX, name);
  const format = plain instanceof Map ? wholeIn(plain.get('format') ?? null, 0, 0x7fffffff) : null;
  if (format !== null && format > NEWEST) {
    throw new FauxlensError(`${name} has bundle format ${format}, which was made by a newer Fauxlens: update this page.`);
  }
  const index = format && hasKeys(plain, KEYS) ? typedIndex(plain, format) : null;
  if (!index) {
    throw new FauxlensError(
      `${name}: ${INDEX} does not have the keys and types of format ${format ?? NEWEST}; export it again.`,
    );
  }
  if (!index.variants.includes(index.default) || !index.variants.every((variant) => VARIANTS.includes(variant))) {
    throw new FauxlensError(`${name}: ${INDEX} names an unknown default or variant; export it again.`);
  }
  const lacking = [...index.sha256.keys()].filter((member) => !members.has(member)).sort()[0];
  if (lacking !== undefined) throw new FauxlensError(`${name} lacks the member ${lacking}; export it again.`);
  const extra = [...members.keys()].filter((member) => !index.sha256.has(member)).sort()[0];
  if (extra !== undefined) throw new FauxlensError(`${name} has an extra member ${extra}; export it again.`);
  for (const [member, content] of members) {
    if ((await sha256(content)) !== index.sha256.get(member)) {
      throw new FauxlensError(`${name}: member ${member} does not match its sha256; copy or export it again.`);
    }
  }
  return index;
}

/** @param {Json} value @param {string[]} keys @returns {value is import('./json.js').JsonObject} */
function hasKeys(value, keys) {
  return value instanceof Map && value.size === keys.length && keys.every((key) => value.has(key));
}

/** @param {import('./json.js').JsonObject} plain @param {number} format @returns {Index | null} */
function typedIndex(plain, format) {
  const get = (/** @type {string} */ key) => plain.get(key) ?? null;
  const shipped = text(get('default'));
  const variants = get('variants');
  const pictures = listOf(get('pictures'), pictureEntry);
  const heatmaps = listOf(get('heatmaps'), text);
  const gradcam = listOf(get('gradcam'), text);
  const hashes = get('sha256');
  if (shipped === null || !(variants instanceof Map) || !pictures?.length || !heatmaps || !gradcam) return null;
  if (!(hashes instanceof Map) || ![...hashes.values()].every((hash) => typeof hash === 'string')) return null;
  if (!areTolerances(get('tolerances'))) return null;
  return {
    format,
    default: shipped,
    variants: [...variants.keys()].sort(),
    pictures,
    heatmaps,
    gradcam,
    sha256: /** @type {Map<string, string>} */ (hashes),
  };
}

/** @param {Json} entry @returns {PictureEntry | null} */
function pictureEntry(entry) {
  if (!hasKeys(entry, PICTURE_KEYS)) return null;
  const get = (/** @type {string} */ key) => entry.get(key) ?? null;
  const [name, member, pixelsSha256] = ['name', 'member', 'pixels_sha256'].map((key) => text(get(key)));
  const numbers = listOf(get('eyes'), (value) => (value instanceof JsonNumber ? Number(value.text) : null));
  if (name === null || member === null || pixelsSha256 === null) return null;
  if (get('eyes') !== null && numbers?.length !== 3) return null;
  return {name, member, pixelsSha256, eyes: numbers ? {x: numbers[0], y: numbers[1], distance: numbers[2]} : null};
}

/** @param {Json} value */
function areTolerances(value) {
  if (!hasKeys(value, TOLERANCES)) return false;
  return [...value].every(([key, tolerance]) => {
    if (!LIMITED.includes(key)) return probability(tolerance) !== null;
    return hasKeys(tolerance, LIMITS) && [...tolerance.values()].every((limit) => probability(limit) !== null);
  });
}

/** @param {Uint8Array} bytes @param {string} member @param {string} name @returns {Json} */
function readJson(bytes, member, name) {
  const json = utf8(bytes);
  if (json === null) throw new FauxlensError(`${name}: ${member} is not UTF-8; export it again.`);
  try {
    return parseJson(json);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    throw new FauxlensError(`${name}: ${member} is not JSON (${error.message}); export it again.`);
  }
}

/** @param {(member: string) => Uint8Array} take @param {Index} index @param {string} name */
function readReferences(take, index, name) {
  const count = index.pictures.length;

  /** @template {'uint8' | 'float32'} K @param {string} member @param {K} kind @param {number} rank */
  function array(member, kind, rank) {
    const npy = readNpy(take(member), `${name}: ${member}`);
    if (npy.kind !== kind || npy.shape.length !== rank || npy.shape[0] !== count) {
      throw new FauxlensError(`${name}: ${member} does not hold ${count} ${kind} entries; export it again.`);
    }
    return npy;
  }

  const pictures = index.pictures.map((picture) => take(picture.member));
  const views = array('reference/views.npy', 'uint8', 4);
  const planes = array('reference/planes.npy', 'uint8', 4);
  const stages = readStages(take(STAGES), count, name);
  const maps = index.heatmaps.map((stage) => /** @type {const} */ ([stage, array(`reference/heatmaps/${stage}.npy`, 'float32', 3)]));
  const gradcam = index.gradcam.map((stage) => array(`reference/gradcam/${stage}.npy`, 'float32', 3));
  /** @type {References} */
  const references = {
    names: index.pictures.map((picture) => picture.name),
    pictures,
    decodedSha256: index.pictures.map((picture) => picture.pixelsSha256),
    eyes: index.pictures.map((picture) => picture.eyes),
    views: /** @type {Uint8Array} */ (views.values),
    stages,
    heatmaps: new Map(maps.map(([stage, npy]) => [stage, /** @type {Float32Array} */ (npy.values)])),
  };

  /** The first guarantee that a variant does not keep, in the order of export/artifacts/bundle.py.
   * @param {string} variant @param {DetectorFile} file @param {string} defaultView */
  function check(variant, {description}, defaultView) {
    const {size} = description;
    const state = /** @type {string} */ (LINEAGE.get(variant));
    const map = [count, ...description.heatmap].join();
    const complaint =
      (description.variant !== variant && 'is called otherwise inside') ||
      (description.view !== defaultView && 'has another view than the default variant') ||
      (!stages.has(state) && 'lacks the stage of its Keras state') ||
      (!stages.has(tfliteStage(variant)) && 'lacks its own stage') ||
      (!index.gradcam.includes(state) && 'lacks the Grad-CAM of its Keras state') ||
      (views.shape.join() !== [count, size, size, 3].join() && 'does not fit the reference views') ||
      (planes.shape.slice(0, 3).join() !== [count, size, size].join() && 'does not fit the front-end planes') ||
      ([...maps.map(([, npy]) => npy), ...gradcam].some((npy) => npy.shape.join() !== map) &&
        'does not fit the heatmaps');
    if (complaint) throw new FauxlensError(`${name}: variant ${variant} ${complaint}; export the bundle again.`);
  }

  return {references, check};
}

/** @param {Uint8Array} json @param {number} count @param {string} name */
function readStages(json, count, name) {
  const plain = readJson(json, STAGES, name);
  /** @type {Map<string, Float32Array>} */
  const stages = new Map();
  for (const [stage, value] of plain instanceof Map ? plain : []) {
    const numbers = listOf(value, probability);
    if (numbers?.length !== count) {
      throw new FauxlensError(`${name}: ${STAGES}: ${stage} is not ${count} probabilities; export it again.`);
    }
    stages.set(stage, Float32Array.from(numbers));
  }
  return stages;
}

/** @param {References} references @param {string[]} gradcam @param {string[]} variants @param {string} name */
function checkStages({stages, heatmaps}, gradcam, variants, name) {
  if (!stages.has('keras-float')) {
    throw new FauxlensError(`${name} has no stage keras-float; export the bundle again.`);
  }
  const known = [...KERAS_STAGES, ...variants.map(tfliteStage)];
  const unknown = [...stages.keys(), ...heatmaps.keys(), ...gradcam].find((stage) => !known.includes(stage));
  if (unknown !== undefined) {
    throw new FauxlensError(`${name} has an unknown stage ${unknown}; export the bundle again.`);
  }
}

/**
 * The face finder of a bundle of format 2 (export/artifacts/finder_files.py), nothing where the view has no face(k).
 * @param {(member: string) => Uint8Array} take @param {import('./view.js').View} view @param {string} name
 */
async function takeFaceFinder(take, view, name) {
  /** @type {Members} */
  const models = new Map();
  if (view.faceFactor === null) return models;
  for (const {member, sha256: expected} of NETWORKS) {
    const model = take(member);
    if ((await sha256(model)) !== expected) {
      throw new FauxlensError(`${name}: ${member} is not the face finder's file; export the bundle again.`);
    }
    models.set(member, model);
  }
  take(FINDER_LICENCE);
  return models;
}
