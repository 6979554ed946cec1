// What a C2PA manifest store claims, and whether its hashes fit the file (train/image/marks/c2pa.py); signatures are not
// checked here.
import {concatenated} from './bytes.js';
import {CborError, listOf, mapOf, readCbor} from './cbor.js';
import {subjectOf} from './certificate.js';
import {JumbfError, cborOf, childOf, readJumbf} from './jumbf.js';
import {shown} from './rows.js';

/** @typedef {import('./jumbf.js').Box} Box */
/** @typedef {import('./cbor.js').CborMap} CborMap */

const MAX_ANCESTORS = 16;
const MAX_ACTIONS = 200;
const MAX_EXCLUSIONS = 64;
// Thumbnails, the bulk of a store, are no CBOR.
const MAX_CBOR = 1 << 20;
const HASHES = new Map([['sha256', 'SHA-256'], ['sha384', 'SHA-384'], ['sha512', 'SHA-512']]);
const CHAIN = 33;

/** The manifest store cannot be read. */
export class ManifestError extends Error {}

/**
 * What the active manifest of a store claims. `sourceTypes` are those of its actions and of its parents,
 * `ingredientTypes` those of what was placed in it; `fits` is whether the hashes of the file and of the assertions hold,
 * null where there is none that can be compared here.
 * @typedef {{generator: string, signer: string, sourceTypes: string[], ingredientTypes: string[], actions: string[],
 *   fits: boolean | null}} Claim
 */

/**
 * Reads the last, active manifest of a store.
 * @param {Uint8Array} store
 * @param {Uint8Array} file the whole file's bytes
 * @returns {Promise<Claim>}
 * @throws {ManifestError}
 */
export async function readClaim(store, file) {
  try {
    const root = readJumbf(store);
    const manifests = new Map(root.boxes.map((box) => [box.label, box]));
    const active = root.boxes.at(-1);
    if (root.label !== 'c2pa' || !active) throw new ManifestError('no manifest store');
    if (cborBytes(root) > MAX_CBOR) throw new ManifestError('too much to read');
    const claim = mapOf(read(childOf(active, 'c2pa.claim.v2') ?? childOf(active, 'c2pa.claim')));
    const {own, placed} = sourceTypes(active, manifests);
    return {
      generator: generatorOf(claim),
      signer: shown(signerOf(active)),
      sourceTypes: unique(own),
      ingredientTypes: unique(placed),
      actions: unique(actionsOf(active).map((one) => shown(String(one.get('action') ?? '')))),
      fits: await fits(active, claim, file),
    };
  } catch (error) {
    if (error instanceof JumbfError || error instanceof CborError) throw new ManifestError(error.message);
    throw error;
  }
}

/** @param {Box} box @returns {number} */
function cborBytes(box) {
  const own = box.contents.reduce((sum, {kind, content}) => sum + (kind === 'cbor' ? content.length : 0), 0);
  return box.boxes.reduce((sum, one) => sum + cborBytes(one), own);
}

/** @param {Box | null} box */
function read(box) {
  const content = cborOf(box);
  return content ? readCbor(content) : null;
}

/** @param {CborMap} claim */
function generatorOf(claim) {
  const given = claim.get('claim_generator_info');
  const info = mapOf(Array.isArray(given) && given.length ? given[0] : given);
  const name = info.get('name') || claim.get('claim_generator');
  if (typeof name !== 'string') return '';
  // The older field is like a browser's: "Adobe_Firefly/1.0 c2pa-rs/0.5".
  return shown(info.get('name') ? name : name.split(' ')[0].split('/')[0].replaceAll('_', ' '));
}

/** @param {Box} manifest */
function signerOf(manifest) {
  const parts = listOf(read(childOf(manifest, 'c2pa.signature')));
  if (parts.length < 2) return '';
  const isProtected = parts[0] instanceof Uint8Array && parts[0].length > 0;
  const headers = new Map([...mapOf(parts[1]), ...(isProtected ? mapOf(readCbor(/** @type {Uint8Array} */ (parts[0]))) : [])]);
  const chain = headers.get(headers.has(CHAIN) ? CHAIN : 'x5chain');
  const first = Array.isArray(chain) && chain.length ? chain[0] : chain;
  return first instanceof Uint8Array ? subjectOf(first) : '';
}

/** The assertions of a label, its versions (.v2) and its instances (__1). @param {Box} manifest @param {string} name */
function assertions(manifest, name) {
  /** @type {CborMap[]} */
  const found = [];
  for (const box of childOf(manifest, 'c2pa.assertions')?.boxes ?? []) {
    const content = cborOf(box);
    if (box.label.split('__')[0].split('.v')[0] === name && content) found.push(mapOf(readCbor(content)));
  }
  return found;
}

/** @param {Box} manifest */
function actionsOf(manifest) {
  const every = assertions(manifest, 'c2pa.actions').flatMap((one) => listOf(one.get('actions')).map(mapOf));
  return every.slice(0, MAX_ACTIONS);
}

/** Source types of a manifest and its parents, and of its ingredients; each manifest is visited once.
 * @param {Box} active @param {Map<string, Box>} manifests */
function sourceTypes(active, manifests) {
  /** @type {string[]} */
  const own = [];
  /** @type {string[]} */
  const placed = [];
  /** @type {[Box, string[]][]} */
  const waiting = [[active, own]];
  const visited = new Set([active.label]);
  while (waiting.length && visited.size <= MAX_ANCESTORS) {
    const [manifest, into] = /** @type {[Box, string[]]} */ (waiting.shift());
    for (const action of actionsOf(manifest)) {
      const type = action.get('digitalSourceType');
      if (typeof type === 'string') into.push(shown(type, 200));
    }
    for (const ingredient of assertions(manifest, 'c2pa.ingredient')) {
      const link = mapOf(ingredient.get('activeManifest') || ingredient.get('c2pa_manifest')).get('url');
      const label = lastPart(link);
      const box = manifests.get(label);
      if (box && !visited.has(label)) {
        visited.add(label);
        waiting.push([box, ingredient.get('relationship') === 'parentOf' ? into : placed]);
      }
    }
  }
  return {own, placed};
}

/** @param {unknown} link */
function lastPart(link) {
  return typeof link === 'string' ? link.slice(link.lastIndexOf('/') + 1) : '';
}

/** @param {Box} manifest @param {CborMap} claim @param {Uint8Array} file */
async function fits(manifest, claim, file) {
  // A manifest has one hard binding.
  const binding = assertions(manifest, 'c2pa.hash.data')[0];
  if (!(await assertionsFit(manifest, claim))) return false;
  // The hashes of the assertions alone say nothing of the file.
  return binding ? fileFits(binding, claim, file) : null;
}

/** Whether the assertions are those that the claim lists, by their hashes. @param {Box} manifest @param {CborMap} claim */
async function assertionsFit(manifest, claim) {
  const boxes = new Map((childOf(manifest, 'c2pa.assertions')?.boxes ?? []).map((box) => [box.label, box]));
  const lists = ['assertions', 'created_assertions', 'gathered_assertions'].flatMap((key) => listOf(claim.get(key)));
  for (const reference of lists.map(mapOf).slice(0, MAX_ACTIONS)) {
    const box = typeof reference.get('url') === 'string' ? boxes.get(lastPart(reference.get('url'))) : undefined;
    const digest = reference.get('hash');
    const algorithm = algorithmOf(reference, claim);
    if (box && digest instanceof Uint8Array && algorithm && !(await hasHash(box.hashed, algorithm, digest))) return false;
  }
  return true;
}

/** Whether the bytes of the file outside of the exclusions have the hash of a c2pa.hash.data assertion.
 * @param {CborMap} binding @param {CborMap} claim @param {Uint8Array} file */
async function fileFits(binding, claim, file) {
  const digest = binding.get('hash');
  const algorithm = algorithmOf(binding, claim);
  if (!(digest instanceof Uint8Array) || !algorithm) return null;
  /** @type {[number, number][]} */
  const ranges = [];
  for (const one of listOf(binding.get('exclusions')).slice(0, MAX_EXCLUSIONS).map(mapOf)) {
    const start = one.get('start');
    const length = one.get('length');
    if (typeof start !== 'number' || typeof length !== 'number' || !(start >= 0) || !(length >= 0)) return null;
    ranges.push([start, start + length]);
  }
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const hashed = [];
  let at = 0;
  for (const [start, end] of ranges) {
    hashed.push(file.subarray(at, Math.max(at, start)));
    at = Math.max(at, end);
  }
  hashed.push(file.subarray(at));
  return hasHash(concatenated(hashed), algorithm, digest);
}

/** @param {CborMap} holder @param {CborMap} claim @returns {string | undefined} as Web Crypto calls it */
function algorithmOf(holder, claim) {
  return HASHES.get(String(holder.get('alg') || claim.get('alg') || 'sha256'));
}

/** @param {Uint8Array} bytes @param {string} algorithm @param {Uint8Array} digest */
async function hasHash(bytes, algorithm, digest) {
  const found = new Uint8Array(await crypto.subtle.digest(algorithm, /** @type {Uint8Array<ArrayBuffer>} */ (bytes)));
  return found.length === digest.length && found.every((byte, i) => byte === digest[i]);
}

/** @param {string[]} items */
function unique(items) {
  return [...new Set(items)];
}
