// All faces of a picture by BlazeFace, with the arithmetic of train/image/face_finder (docs/face-finder.md), which is
// defined to the bit but for the two networks themselves.
import {resizePart} from './apply_view.js';
import {decodeFaces, UNITS} from './face_boxes.js';
import {turnOf, uprightSize} from './raster.js';
import {NETWORKS} from './face_networks.js';
import {openEngine} from './litert.js';

/**
 * One face: `box` is left, top, right, bottom and `eyes` what a view needs, in pixels of the upright picture; `logit` is
 * how sure the finder is (log-odds).
 * @typedef {{box: [number, number, number, number], eyes: import('./view.js').Eyes, logit: number}} Face
 */

// Logits in 1/32, from which a face counts, and from which no second network looks (docs/face-finder.md, 3).
const LIKELY = 13;
const SURE = UNITS;
// In profile the eyes lie close together: their distance is at least this share of the box (train/image/face.py).
const PROFILE = 0.3;
// float32(value) / float32(127.5) - float32(1), each step rounded to float32.
const TENSOR_VALUES = Float32Array.from({length: 256}, (_, value) => Math.fround(value / 127.5) - 1);

/** @typedef {import('./face_networks.js').Network} Network */
/** @typedef {{find: (stored: import('./raster.js').Raster, orientation: number) => Promise<Face[]>}} FaceFinder */

/**
 * A face finder of a bundle's members; the networks are opened when a picture needs them.
 * @param {Map<string, Uint8Array>} members
 * @param {import('./litert.js').RuntimeOptions} options
 * @returns {FaceFinder}
 */
export function openFaceFinder(members, options) {
  /** @type {Map<string, Promise<import('./litert.js').Engine>>} */
  const engines = new Map();

  /** @param {Network} network @param {Float32Array} tensor */
  async function run(network, tensor) {
    const {member} = network;
    const bytes = members.get(member) ?? new Uint8Array();
    const opened = engines.get(member) ?? openEngine(bytes, member, options);
    engines.set(member, opened);
    const engine = await opened;
    const outputs = Object.values(await engine.run({[engine.inputs[0].name]: tensor}));
    const [logits, regressors] = outputs.sort((a, b) => a.length - b.length);
    return {logits, regressors};
  }

  return {find: (stored, orientation) => findFaces(stored, orientation, run)};
}

/**
 * The faces of a picture, the largest first.
 * @param {import('./raster.js').Raster} stored not upright yet
 * @param {number} orientation EXIF orientation 1..8
 * @param {(network: Network, tensor: Float32Array) => Promise<{logits: Float32Array, regressors: Float32Array}>} run
 * @returns {Promise<Face[]>}
 */
export async function findFaces(stored, orientation, run) {
  const {width, height} = uprightSize(stored, turnOf(orientation));
  /** @type {import('./face_boxes.js').FaceNumbers[]} */
  let best = [];
  let placement = placementOf(NETWORKS[0].side, width, height);
  for (const network of NETWORKS) {
    const here = placementOf(network.side, width, height);
    const {logits, regressors} = await run(network, inputTensor(stored, orientation, here));
    const found = decodeFaces(network, regressors, logits).filter(({logit}) => logit >= LIKELY);
    if (found.length && (!best.length || found[0].logit > best[0].logit)) {
      best = found;
      placement = here;
    }
    if (best.length && best[0].logit >= SURE) break;
  }
  return usableFaces(best.map((face) => place(face, placement)), width, height);
}

/** Where a picture lies in the square of `side`: all in pixels.
 * @typedef {{side: number, pictureWidth: number, pictureHeight: number, width: number, height: number, left: number,
 *   top: number}} Placement */

/** @param {number} side @param {number} pictureWidth @param {number} pictureHeight @returns {Placement} */
export function placementOf(side, pictureWidth, pictureHeight) {
  const longer = Math.max(pictureWidth, pictureHeight);
  const reduced = (/** @type {number} */ length) =>
    Math.max(1, Math.floor((2 * length * side + longer) / (2 * longer)));
  const width = reduced(pictureWidth);
  const height = reduced(pictureHeight);
  const left = Math.floor((side - width) / 2);
  const top = Math.floor((side - height) / 2);
  return {side, pictureWidth, pictureHeight, width, height, left, top};
}

/**
 * The picture reduced into the middle of a black square, as float32 in -1..1.
 * @param {import('./raster.js').Raster} stored @param {number} orientation @param {Placement} placement
 */
export function inputTensor(stored, orientation, {side, pictureWidth, pictureHeight, width, height, left, top}) {
  const across = {from: 0, size: pictureWidth, length: pictureWidth};
  const down = {from: 0, size: pictureHeight, length: pictureHeight};
  const reduced = resizePart(stored, turnOf(orientation), across, down, width, height);
  const tensor = new Float32Array(3 * side * side).fill(TENSOR_VALUES[0]);
  for (let row = 0; row < height; row += 1) {
    const target = 3 * ((top + row) * side + left);
    for (let i = 0; i < 3 * width; i += 1) tensor[target + i] = TENSOR_VALUES[reduced[3 * row * width + i]];
  }
  return tensor;
}

/** A face of the input square in pixels of the picture. @param {import('./face_boxes.js').FaceNumbers} face @param {Placement} at @returns {Face} */
function place({numbers, logit}, at) {
  const x = (/** @type {number} */ doubled) => ((doubled - 2 * UNITS * at.left) * at.pictureWidth) / (2 * UNITS * at.width);
  const y = (/** @type {number} */ doubled) => ((doubled - 2 * UNITS * at.top) * at.pictureHeight) / (2 * UNITS * at.height);
  const [centreX, centreY, width, height] = numbers;
  const [x1, y1, x2, y2] = [x(2 * numbers[4]), y(2 * numbers[5]), x(2 * numbers[6]), y(2 * numbers[7])];
  /** @type {Face['box']} */
  const box = [x(2 * centreX - width), y(2 * centreY - height), x(2 * centreX + width), y(2 * centreY + height)];
  const distance = Math.max(Math.sqrt((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1)), PROFILE * longerSide(box));
  const eyes = {x: hundredths((x1 + x2) / 2), y: hundredths((y1 + y2) / 2), distance: hundredths(distance)};
  return {box, eyes, logit: logit / UNITS};
}

/** @param {number} value */
function hundredths(value) {
  return Number.isFinite(value) ? Math.floor(100 * value + 0.5) / 100 : value;
}

/** @param {Face['box']} box */
function longerSide([left, top, right, bottom]) {
  return Math.max(right - left, bottom - top);
}

/**
 * The faces that a view can be cut around, the largest first: without those whose eyes lie outside, and without second
 * boxes on the same face.
 * @param {Face[]} faces @param {number} width @param {number} height
 */
function usableFaces(faces, width, height) {
  /** @type {Face[]} */
  const usable = [];
  const ordered = [...faces].sort(
    (a, b) =>
      longerSide(b.box) - longerSide(a.box) ||
      a.box[0] - b.box[0] || a.box[1] - b.box[1] || a.box[2] - b.box[2] || a.box[3] - b.box[3],
  );
  for (const face of ordered) {
    const {x, y, distance} = face.eyes;
    const inside = x >= 0 && x <= width && y >= 0 && y <= height && distance > 0 && distance < Infinity;
    if (inside && !usable.some((other) => isSame(face, other))) usable.push(face);
  }
  return usable;
}

/** Whether the middle of a box lies in a larger one. @param {Face} face @param {Face} larger */
function isSame(face, larger) {
  const x = (face.box[0] + face.box[2]) / 2;
  const y = (face.box[1] + face.box[3]) / 2;
  const [left, top, right, bottom] = larger.box;
  return left <= x && x <= right && top <= y && y <= bottom;
}
