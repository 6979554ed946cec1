// The bundle's references run in this browser: the report that `fauxlens verify --self-test` reads (its format stands in
// export/runtimes/self_test.py, and is the Android app's).
import {applyView} from './apply_view.js';
import {tfliteStage} from './bundle.js';
import {decodePicture, storedPixels} from './decode.js';
import {labelOf} from './decision.js';
import {FauxlensError} from './error.js';
import {floatBits, sha256} from './hash.js';
import {entryOf} from './npy.js';

const FORMAT = 1;
const TIMED_RUNS = 32;

/**
 * What came of one reference. The engine is fed the stored view, so that a difference in decoding shows in its own
 * column.
 * @typedef {{name: string, decodedEqual: boolean, viewEqual: boolean, scoresEqual: boolean, heatmapEqual: boolean,
 *   passed: boolean, json: Record<string, unknown>}} Item
 */

/**
 * Runs every reference of a detector's bundle.
 * @param {import('./detector.js').Detector} detector
 * @param {{app: string, device: string, system: string, runtime: string}} header what runs it, for the report
 * @param {(done: number, count: number) => void} [onProgress]
 * @returns {Promise<{items: Item[], latency: number[], passed: boolean, json: string}>}
 * @throws {FauxlensError} where the bundle holds nothing to compare with
 */
export async function selfTest(detector, header, onProgress = () => {}) {
  const {bundle, description, file} = detector;
  const stage = bundle && tfliteStage(bundle.default);
  if (!bundle || !stage || !bundle.references.heatmaps.has(stage)) {
    throw new FauxlensError('The bundle has no references to compare this browser with; export it again.');
  }
  const count = bundle.references.names.length;
  /** @type {number[]} */
  const latency = [];
  const limits = description.operatingPoints.get('balanced');
  const views = Array.from({length: count}, (_, i) => entryOf(bundle.references.views, count, i));
  // The first run is slower: it is not timed.
  await detector.run(views[0]);
  const items = [];
  for (let i = 0; i < count; i += 1) {
    onProgress(i, count);
    items.push(await testReference(detector, /** @type {import('./decision.js').Limits} */ (limits), i, views[i], stage, latency));
  }
  for (let i = count; i < TIMED_RUNS; i += 1) await timed(detector, views[i % count], latency);
  onProgress(count, count);
  const passed = items.length > 0 && items.every((item) => item.passed);
  const report = {
    format: FORMAT,
    ...header,
    abi: 'wasm32',
    threads: 1,
    accelerator: 'cpu',
    promise: 'bits',
    bundle_sha256: bundle.sha256,
    detector_sha256: file.sha256,
    variant: bundle.default,
    view: description.view,
    references: items.map((item) => item.json),
    latency_ms: latency,
    passed,
  };
  return {items, latency, passed, json: `${JSON.stringify(report, null, 1)}\n`};
}

/** @param {import('./detector.js').Detector} detector @param {Uint8Array} view @param {number[]} latency */
async function timed(detector, view, latency) {
  const start = performance.now();
  const output = await detector.run(view);
  latency.push(performance.now() - start);
  return output;
}

/**
 * @param {import('./detector.js').Detector} detector @param {import('./decision.js').Limits} limits @param {number} index
 * @param {Uint8Array} stored the stored view @param {string} stage @param {number[]} latency
 * @returns {Promise<Item>}
 */
async function testReference(detector, limits, index, stored, stage, latency) {
  const references = /** @type {import('./bundle.js').Bundle} */ (detector.bundle).references;
  const count = references.names.length;
  const name = references.names[index];
  const expected = /** @type {Float32Array} */ (references.stages.get(stage))[index];
  const heatmap = entryOf(/** @type {Float32Array} */ (references.heatmaps.get(stage)), count, index);
  /** @type {string[]} */
  const errors = [];
  /** @template T @param {() => Promise<T>} work @returns {Promise<T | null>} */
  const attempt = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FauxlensError)) throw error;
      errors.push(error.message);
      return null;
    }
  };
  const picture = await attempt(() => decodePicture(references.pictures[index], name));
  const decoded = picture ? await sha256(storedPixels(picture.raster)) : '';
  const view =
    picture &&
    (await attempt(async () =>
      applyView(detector.view, picture.raster, picture.orientation, references.eyes[index]),
    ));
  picture?.close();
  const output = await attempt(() => timed(detector, stored, latency));
  const decodedEqual = decoded === references.decodedSha256[index];
  const viewEqual = view !== null && view.every((value, i) => value === stored[i]);
  const score = output?.scores[1] ?? null;
  const scoresEqual = score !== null && Object.is(score, expected);
  const heatmapEqual = output !== null && floatBits(output.heatmap).join() === floatBits(heatmap).join();
  const error = errors.length ? errors.join(' ') : null;
  const passed = error === null && decodedEqual && viewEqual && scoresEqual && heatmapEqual;
  const json = {
    name,
    decoded_sha256: decoded,
    view_sha256: view ? await sha256(view) : '',
    scores: output ? floatBits(output.scores) : [],
    heatmap: output ? floatBits(output.heatmap) : [],
    expected,
    got: score,
    verdict_expected: labelOf(limits, expected),
    verdict_got: score === null ? '' : labelOf(limits, score),
    passed,
    error,
  };
  return {name, decodedEqual, viewEqual, scoresEqual, heatmapEqual, passed, json};
}
