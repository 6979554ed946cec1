// Every English sentence of the page. Keys are what happens, not what is said.

/** @param {number} count @param {string} one @param {string} many */
const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
/** @param {number} value 0..1 */
export const percent = (value) => `${(100 * value).toFixed(1)} %`;

export const LABELS = {real: 'looks real', fake: 'looks AI-generated', unsure: 'cannot tell'};
export const POINTS = {
  balanced: 'Balanced',
  'fpr-1%': 'Strict: set for 1 % false alarms',
  'fpr-0.5%': 'Stricter: set for 0.5 % false alarms',
};
export const STRENGTHS = {strong: 'strong', medium: 'medium', weak: 'weak', none: 'none'};
export const KINDS = {
  file: 'File',
  provenance: 'Content credentials',
  metadata: 'Metadata',
  traces: 'Processing traces',
  faces: 'Faces',
  detector: 'Detector',
  caution: 'Caution',
};

export const TEXT = {
  loading: 'Loading the detector …',
  ready: 'The detector is ready. Choose a picture.',
  offline: 'This page now also works without a network.',
  judging: (/** @type {string} */ name) => `Looking at ${name} …`,
  done: (/** @type {number} */ count) => `${plural(count, 'picture', 'pictures')} looked at.`,
  failed: 'Nothing was looked at.',
  nothingDropped: 'That was no file. Save the picture first, then drop or choose the file.',
  cannotStart: (/** @type {string} */ why) => `The detector cannot start. ${why}`,
  unexpected: (/** @type {string} */ why) => `Something went wrong (${why}). The other pictures are not affected.`,
  show: 'Show',
  picture: 'Picture',
  heatmap: 'Heatmap',
  errorLevels: 'Error levels',
  strength: 'Strength of the overlay',
  heatmapHelp: 'Bright cells spoke for AI-generated. They do not show what was changed.',
  nothingSpoke: 'Nothing in this face spoke for AI-generated, so its heatmap is empty.',
  errorLevelsHelp: (/** @type {number} */ gain) =>
    `What saving as JPEG (quality 90, by this browser) changes, ${gain.toFixed(1)} times as strong. ` +
    'Parts of different origin can differ in brightness; edges always do.',
  errorLevelsTooLarge: 'The picture is too large for error levels here; `fauxlens ela` has no such limit.',
  face: (/** @type {number} */ number) => `Face ${number}`,
  centre: 'Centre square',
  whole: 'Whole picture',
  verdict: (/** @type {string} */ what, /** @type {string} */ label) => `${what}: ${label}`,
  probability: (/** @type {number} */ p) => `Probability of AI-generated: ${percent(p)}`,
  scale: (/** @type {number} */ p, /** @type {{fakeFrom: number, unsureFrom: number}} */ limits) =>
    `${percent(p)} on a scale from 0 to 100 %. From ${percent(limits.unsureFrom)} the answer is "cannot tell", ` +
    `from ${percent(limits.fakeFrom)} "looks AI-generated".`,
  scaleLegend: (/** @type {{fakeFrom: number, unsureFrom: number}} */ limits) =>
    `Cannot tell from ${percent(limits.unsureFrom)}, AI-generated from ${percent(limits.fakeFrom)}`,
  tooSmall: (/** @type {number} */ number) => `Face ${number} is too small to judge.`,
  allTooSmall: 'Every face in this picture is too small to judge.',
  evidence: 'Evidence',
  says: 'What it says',
  weight: 'Weight',
  details: 'Details',
  print: 'Print',
  remove: 'Remove',
  fileRow: (/** @type {string} */ format, /** @type {number} */ w, /** @type {number} */ h, /** @type {string} */ size) =>
    `${format}, ${w} x ${h} pixels, ${size}.`,
  facesRow: (/** @type {number} */ count) => (count ? `${plural(count, 'face was', 'faces were')} found.` : 'No face was found.'),
  wholeRow: 'This detector looks at one square of the picture and does not look for faces.',
  detectorRow: (/** @type {string} */ what, /** @type {number} */ p) =>
    `${what}: probability of AI-generated ${percent(p)}.`,
  caution: 'A verdict is a hint, never a proof: detectors of this kind are often wrong on generators and cameras that they have not seen.',
  model: 'Detector',
  operatingPoint: 'Operating point',
  viewText: 'What the detector sees',
  time: 'Time',
  milliseconds: (/** @type {number} */ ms) => `${Math.round(ms)} ms`,
  pictureHash: 'SHA-256 of the picture',
  detectorHash: 'SHA-256 of the detector file',
  bundleHash: 'SHA-256 of the bundle',
  versions: 'Made by',
  browser: 'Browser',
  seen: 'Generators in training',
  decoderEqual: 'This browser decodes a reference picture to the same pixels as training did.',
  decoderDiffers:
    'This browser decodes a reference picture to other pixels than training did: scores may differ by a little.',
  decoding: 'Decoding',
  historyEmpty: 'Nothing is kept yet.',
  historyDenied: 'This browser lets this page keep nothing, so there is no history.',
  historyEntry: (/** @type {string} */ name, /** @type {string} */ label, /** @type {number} */ p) =>
    `${name}: ${label} (${percent(p)})`,
  updateFound: 'Another tab changed the history.',
};

/** A number of bytes for people. @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1000) return plural(bytes, 'byte', 'bytes');
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export const SELF_TEST = {
  ready: 'Ready.',
  progress: (/** @type {number} */ done, /** @type {number} */ count) => `Reference ${done} of ${count} …`,
  passed: (/** @type {number} */ count) =>
    `Passed: pictures, views, scores and heatmaps of ${plural(count, 'reference', 'references')} have the same bits.`,
  failed: 'Failed: something differs from training; the table says what.',
  latency: (/** @type {number} */ median, /** @type {number} */ runs) =>
    `Median time of the model alone: ${median.toFixed(1)} ms in ${runs} runs.`,
  columns: ['Reference', 'Pixels', 'View', 'Score', 'Heatmap'],
  table: 'References',
  same: 'same bits',
  differs: 'differs',
};
