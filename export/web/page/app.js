// The page: takes pictures in, one after the other, and shows what came of each.
import {FauxlensError, decodePicture} from './js/detector.js';
import {alphaOfWebp} from './js/decode.js';
import {sha256} from './js/hash.js';
import {readMarks} from './js/marks/read.js';
import {drawUpright} from './drawing.js';
import {openHistory} from './history.js';
import {failureView, resultView} from './result_view.js';
import {keepOffline, openSite} from './startup.js';
import {POINTS, TEXT} from './strings.js';

const PREVIEW = 1024;

const status = /** @type {HTMLElement} */ (document.getElementById('status'));
const results = /** @type {HTMLElement} */ (document.getElementById('results'));
const drop = /** @type {HTMLElement} */ (document.getElementById('drop'));
const points = /** @type {HTMLFieldSetElement} */ (document.getElementById('points'));
const history = openHistory();
const opening = openSite();
/** Pictures are evaluated one at a time, in the order in which they came. */
let queue = start();

async function start() {
  try {
    const {detector, site} = await opening;
    points.disabled = false;
    status.textContent = TEXT.ready;
    const about = document.getElementById('about');
    if (about) about.textContent = `${detector.description.name}, ${detector.description.variant}. Fauxlens ${site.version}.`;
    keepOffline(() => {
      const offline = document.getElementById('offline');
      if (offline) offline.textContent = TEXT.offline;
    });
  } catch (error) {
    status.className = 'error';
    status.textContent = TEXT.cannotStart(sentenceOf(error));
  }
}

/** @param {Iterable<File>} files */
function take(files) {
  const chosen = [...files];
  if (!chosen.length) {
    status.textContent = TEXT.nothingDropped;
    return;
  }
  queue = queue.then(() => evaluateAll(chosen));
}

/** @param {File[]} files */
async function evaluateAll(files) {
  const opened = await opening.catch(() => null);
  if (!opened) return;
  let evaluated = 0;
  // The newest pictures stand on top, those of one choice in their order.
  const earlier = results.firstChild;
  for (const file of files) {
    status.textContent = TEXT.evaluating(file.name);
    // So that the sentence is painted before the work.
    await new Promise((resolve) => setTimeout(resolve));
    try {
      results.insertBefore(resultView(await evaluatePicture(file)), earlier);
      evaluated += 1;
    } catch (error) {
      results.insertBefore(failureView(file.name, sentenceOf(error), await tellingMarks(file)), earlier);
    }
  }
  status.textContent = evaluated ? TEXT.done(evaluated) : TEXT.failed;
}

/** What a file that cannot be evaluated says of itself, if it says something. @param {File} file */
async function tellingMarks(file) {
  try {
    const {tables} = await opening;
    const {rows} = await readMarks(new Uint8Array(await file.arrayBuffer()), tables, alphaOfWebp);
    return rows.filter(({says, kind}) => says !== 'nothing' || kind === 'provenance');
  } catch {
    // The file itself cannot be read, which its sentence says.
    return [];
  }
}

/** @param {File} file */
async function evaluatePicture(file) {
  const {detector, tables} = await opening;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const point = /** @type {HTMLInputElement} */ (points.querySelector('input:checked')).value;
  const operatingPoint = /** @type {import('./js/detector.js').OperatingPoint} */ (point);
  const picture = await decodePicture(bytes, file.name);
  try {
    const result = await detector.detect(picture, {operatingPoint, name: file.name});
    const preview = drawUpright(picture, PREVIEW);
    if (result.worst) history.add(file.name, result.worst.label, result.worst.probability, preview);
    const {width: storedWidth, height: storedHeight} = picture.raster;
    return {
      name: file.name, bytes, format: picture.format, storedWidth, storedHeight, pictureNotes: picture.notes,
      marks: (await readMarks(bytes, tables, alphaOfWebp)).rows, result,
      description: detector.description, preview,
      decode: () => decodePicture(bytes, file.name),
      details: await details(detector, bytes, result),
    };
  } finally {
    picture.close();
  }
}

/**
 * @param {import('./js/detector.js').Detector} detector @param {Uint8Array} bytes
 * @param {import('./js/detector.js').Result} result
 * @returns {Promise<[string, string | null][]>}
 */
async function details(detector, bytes, result) {
  const {description, file, bundle} = detector;
  const {site} = await opening;
  const same = await detector.decodesAsTrained();
  return [
    [TEXT.model, `${description.name}, ${description.variant}`],
    [TEXT.operatingPoint, POINTS[result.operatingPoint]],
    [TEXT.viewText, description.view],
    [TEXT.time, TEXT.milliseconds(result.milliseconds)],
    [TEXT.decoding, same === null ? null : same ? TEXT.decoderEqual : TEXT.decoderDiffers],
    [TEXT.seen, description.generatorsSeen.join(', ')],
    [TEXT.pictureHash, await sha256(bytes)],
    [TEXT.detectorHash, file.sha256],
    [TEXT.bundleHash, bundle?.sha256 ?? null],
    [TEXT.versions, `Fauxlens ${site.version}`],
    [TEXT.browser, navigator.userAgent],
  ];
}

/** @param {unknown} error */
function sentenceOf(error) {
  if (error instanceof FauxlensError) return error.message;
  return TEXT.unexpected(error instanceof Error ? error.message : String(error));
}

for (const id of ['choose', 'camera']) {
  const input = /** @type {HTMLInputElement} */ (document.getElementById(id));
  input.addEventListener('change', () => {
    take(input.files ?? []);
    // So that the same file can be chosen again.
    input.value = '';
  });
}
document.addEventListener('paste', (event) => {
  const files = event.clipboardData?.files;
  if (files?.length) take(files);
});
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
for (const type of ['dragleave', 'dragend', 'drop']) {
  document.addEventListener(type, () => drop.classList.remove('over'));
}
document.addEventListener('drop', (event) => {
  event.preventDefault();
  take(event.dataTransfer?.files ?? []);
});
window.addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
});
