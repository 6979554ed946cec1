// The public module: open a detector, evaluate pictures, face by face. docs/guide-web.md shows how; types: detector.d.ts.
import {applyView} from './apply_view.js';
import {readBundle} from './bundle.js';
import {OPERATING_POINTS, labelOf} from './decision.js';
import {decodePicture, pictureOf, storedPixels} from './decode.js';
import {isModel, readDetectorFile} from './detector_file.js';
import {FauxlensError} from './error.js';
import {openFaceFinder} from './face_finder.js';
import {sha256} from './hash.js';
import {checkGraph} from './graph_guard.js';
import {openEngine} from './litert.js';
import {turnOf, uprightSize} from './raster.js';
import {centreView, resizedView, squareOf} from './view.js';

export {FauxlensError, OPERATING_POINTS, labelOf};
export {overlay} from './heatmap.js';
export {decodePicture, storedPixels};

/** @typedef {import('./view.js').Eyes} Eyes */
/** @typedef {import('./view.js').Square} Square */
/** @typedef {import('./view.js').View} View */
/** @typedef {import('./heatmap.js').Heatmap} Heatmap */
/** @typedef {import('./decision.js').OperatingPoint} OperatingPoint */
/** @typedef {import('./decision.js').Label} Label */
/** @typedef {import('./decision.js').Limits} Limits */
/** @typedef {import('./decode.js').Picture} Picture */

/** What the model gives for one view: calibrated P(real) and P(fake), and what spoke for fake where.
 * @typedef {{scores: Float32Array, heatmap: Float32Array}} Output */

/**
 * One face, or the centre square where none was looked for or found. `number` counts faces from 1; `square` lies in the upright picture, null for the
 * whole picture; `view` are the RGB bytes that the model saw.
 * @typedef {object} FaceResult
 * @property {number} number
 * @property {Square | null} square
 * @property {Eyes | null} eyes
 * @property {View} viewSpec
 * @property {Uint8Array} view
 * @property {number} probability P(fake), 0..1
 * @property {Label} label at the result's operating point
 * @property {Heatmap} heatmap
 * @property {Float32Array} scores
 * @property {string[]} notes
 */

/** A face whose square is less than half of the view's size a side: nothing is said of it.
 * @typedef {{number: number, square: Square, eyes: Eyes}} SmallFace */

/**
 * A picture's result. `faces` has the faces that were evaluated, the largest first; `tooSmall` those that are too small to
 * classify; `worst` is the one with the highest probability, null where every face is too small; `width` and `height` are
 * those of the upright picture.
 * @typedef {object} Result
 * @property {OperatingPoint} operatingPoint
 * @property {import('./decision.js').Limits} limits
 * @property {FaceResult[]} faces
 * @property {SmallFace[]} tooSmall
 * @property {FaceResult | null} worst
 * @property {boolean} facesSought whether this detector evaluates faces
 * @property {number} facesFound
 * @property {number} width
 * @property {number} height
 * @property {string[]} faceNotes what is to be said of finding faces
 * @property {string[]} notes those and how the picture was read
 * @property {number} milliseconds
 */

export const NO_FACE = 'No face found: this detector classifies faces; the centre square was used instead.';

/**
 * Opens a bundle or a detector file, checks all of it and loads the runtime.
 * @param {Uint8Array} bytes
 * @param {import('./litert.js').RuntimeOptions & {name?: string, faceFinder?: Map<string, Uint8Array>}} options `name` is
 *   how errors call the file; `faceFinder` are the face finder's models by their names in a bundle, for a file without
 * @returns {Promise<Detector>}
 * @throws {FauxlensError} where the file is damaged or newer, or this browser cannot run it
 */
export async function openDetector(bytes, {name = 'The detector', faceFinder = new Map(), ...runtime}) {
  const bundle = isModel(bytes) ? null : await readBundle(bytes, name);
  const file = bundle ? bundle.variants.get(bundle.default) : await readDetectorFile(bytes, name);
  if (!file) throw new FauxlensError(`${name} has no default variant; export it again.`);
  checkGraph(file.bytes, name);
  const engine = await openEngine(file.bytes, name, runtime);
  const [rows, columns] = file.description.heatmap;
  const {size} = file.description;
  const models = bundle?.faceFinder.size ? bundle.faceFinder : faceFinder;
  const finder = models.size && file.view.faceFactor !== null ? openFaceFinder(models, runtime) : null;
  const detector = new Detector(file, bundle, engine, finder);
  const probe = await detector.run(new Uint8Array(3 * size * size));
  if (probe.scores.length !== 2 || probe.heatmap.length !== rows * columns) {
    throw new FauxlensError(`${name} declares a heatmap of ${rows} x ${columns} but gives another size; export it again.`);
  }
  return detector;
}

/** An opened detector, for one caller at a time. Made by `openDetector`. */
export class Detector {
  #engine;
  #finder;
  /** @type {Promise<boolean> | null} */
  #decodes = null;

  /**
   * @param {import('./detector_file.js').DetectorFile} file
   * @param {import('./bundle.js').Bundle | null} bundle
   * @param {import('./litert.js').Engine} engine
   * @param {import('./face_finder.js').FaceFinder | null} finder
   */
  constructor(file, bundle, engine, finder) {
    this.file = file;
    this.bundle = bundle;
    this.description = file.description;
    this.view = file.view;
    this.#engine = engine;
    this.#finder = finder;
  }

  /**
   * Runs a view of size * size * 3 RGB bytes.
   * @param {Uint8Array} view
   * @returns {Promise<Output>}
   * @throws {FauxlensError} where the model fails or gives a number that is not finite
   */
  async run(view) {
    const {scores, heatmap} = await this.#engine.run({image: view});
    if (!scores || !heatmap || !scores.every(Number.isFinite) || !heatmap.every(Number.isFinite)) {
      throw new FauxlensError(`The detector ${this.description.name} gave no finite score; train and export it again.`);
    }
    return {scores, heatmap};
  }

  /**
   * Evaluates a picture: every face of it, or its centre square.
   * @param {Blob | Uint8Array | ImageBitmap | Picture} source a file's bytes, or an upright picture that is decoded already
   * @param {{operatingPoint?: OperatingPoint, name?: string}} [options] `name` is how errors call the picture
   * @returns {Promise<Result>}
   * @throws {FauxlensError} for what is no picture, or too large, animated or damaged
   */
  async detect(source, {operatingPoint = 'balanced', name = 'The picture'} = {}) {
    const limits = this.description.operatingPoints.get(operatingPoint);
    if (!limits) {
      throw new FauxlensError(
        `There is no operating point '${operatingPoint}'; choose one of ${OPERATING_POINTS.join(', ')}.`,
      );
    }
    const start = performance.now();
    const picture = await openPicture(source, name);
    try {
      const turn = turnOf(this.view.turnsUpright ? picture.orientation : 1);
      const {width, height} = uprightSize(picture.raster, turn);
      const found = this.#finder ? await this.#finder.find(picture.raster, picture.orientation) : [];
      const {looks, faceNotes} = this.#looks(found);
      /** @type {FaceResult[]} */
      const faces = [];
      /** @type {SmallFace[]} */
      const tooSmall = [];
      for (const [index, {view, eyes}] of looks.entries()) {
        const number = index + 1;
        const square = squareOf(view, width, height, eyes);
        if (eyes && square && 2 * square.side < view.size) tooSmall.push({number, square, eyes});
        else faces.push({number, square, eyes, ...(await this.#evaluateFace(picture, view, eyes, limits))});
      }
      const worst = faces.reduce(
        (/** @type {FaceResult | null} */ best, face) => (best && best.probability >= face.probability ? best : face),
        null,
      );
      const milliseconds = performance.now() - start;
      return {
        operatingPoint, limits, faces, tooSmall, worst, facesSought: this.#finder !== null, facesFound: found.length, width,
        height, faceNotes, notes: [...faceNotes, ...picture.notes], milliseconds,
      };
    } finally {
      if (picture !== source) picture.close();
    }
  }

  /** What the views take from a picture. @param {import('./face_finder.js').Face[]} found */
  #looks(found) {
    if (this.view.faceFactor === null) return {looks: [{view: this.view, eyes: null}], faceNotes: []};
    if (!this.#finder) {
      throw new FauxlensError('This detector uses faces and its file has no face finder: open its bundle.');
    }
    if (found.length) return {looks: found.map(({eyes}) => ({view: this.view, eyes})), faceNotes: []};
    return {looks: [{view: centreView(this.view), eyes: null}], faceNotes: [NO_FACE]};
  }

  /**
   * @param {Picture} picture @param {View} viewSpec @param {Eyes | null} eyes
   * @param {import('./decision.js').Limits} limits
   */
  async #evaluateFace({raster, orientation}, viewSpec, eyes, limits) {
    const view = applyView(viewSpec, raster, orientation, eyes);
    const {scores, heatmap} = await this.run(view);
    const [rows, columns] = this.description.heatmap;
    const shorter = Math.min(raster.width, raster.height);
    const notes =
      shorter < viewSpec.size
        ? [`The picture is ${shorter} pixels on its shorter side and was enlarged to ${viewSpec.size}: the result is less reliable.`]
        : [];
    return {
      viewSpec,
      view,
      probability: scores[1],
      label: labelOf(limits, scores[1]),
      heatmap: {rows, columns, values: heatmap},
      scores,
      notes,
    };
  }

  /**
   * What a view took from a picture, at another resolution: side * side RGB bytes.
   * @param {Picture} picture @param {FaceResult} face @param {number} side 8 to 4096
   */
  closeUp(picture, face, side) {
    return applyView(resizedView(face.viewSpec, side), picture.raster, picture.orientation, face.eyes);
  }

  /**
   * Whether this browser decodes the bundle's first reference picture to the pixels of training; null without a bundle.
   * @returns {Promise<boolean | null>}
   */
  async decodesAsTrained() {
    const references = this.bundle?.references;
    if (!references) return null;
    this.#decodes ??= decodePicture(references.pictures[0], references.names[0]).then(
      async (picture) => {
        const hash = await sha256(storedPixels(picture.raster));
        picture.close();
        return hash === references.decodedSha256[0];
      },
      () => false,
    );
    return this.#decodes;
  }

  /** Gives the model's memory back. */
  close() {
    this.#engine.close();
  }
}

/** @param {Blob | Uint8Array | ImageBitmap | Picture} source @param {string} name @returns {Promise<Picture>} */
async function openPicture(source, name) {
  if (source instanceof Blob) return decodePicture(new Uint8Array(await source.arrayBuffer()), name);
  if (source instanceof Uint8Array) return decodePicture(source, name);
  if (source instanceof ImageBitmap) return {...pictureOf(source), close: () => {}};
  return source;
}
