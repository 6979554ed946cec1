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
  evaluating: (/** @type {string} */ name) => `Looking at ${name} …`,
  done: (/** @type {number} */ count) => `${plural(count, 'picture', 'pictures')} classified.`,
  failed: 'Nothing was classified.',
  nothingDropped: 'That was not a file. Save the picture first, then drop or choose the file.',
  cannotStart: (/** @type {string} */ why) => `The detector cannot start. ${why}`,
  unexpected: (/** @type {string} */ why) => `Something went wrong (${why}). The other pictures are not affected.`,
  show: 'Show',
  picture: 'Picture',
  heatmap: 'Heatmap',
  errorLevels: 'Error levels',
  strength: 'Strength of the overlay',
  heatmapHelp: 'Bright cells are evidence for AI-generated. They do not show what was changed.',
  nothingSpoke: 'There is no evidence for AI-generated in this face, so its heatmap is empty.',
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
  tooSmall: (/** @type {number} */ number) => `Face ${number} is too small to classify: use the original or a larger copy, not one that was enlarged.`,
  allTooSmall: 'Every face in this picture is too small to classify.',
  evidence: 'Evidence',
  says: 'What it says',
  weight: 'Weight',
  details: 'Details',
  print: 'Print',
  remove: 'Remove',
  fileRow: (/** @type {string} */ format, /** @type {number} */ w, /** @type {number} */ h, /** @type {number} */ size) =>
    `${format}, ${w} x ${h} pixels, ${size.toLocaleString('en')} bytes.`,
  facesRow: (/** @type {number} */ count) => (count === 1 ? 'One face was found.' : `${count} faces were found.`),
  wholeRow: 'This detector does not look for faces: it classified the square that its view takes.',
  model: 'Detector',
  operatingPoint: 'Operating point',
  viewText: 'What the detector sees',
  time: 'Time',
  milliseconds: (/** @type {number} */ ms) => `${Math.round(ms)} ms`,
  pictureHash: 'SHA-256 of the picture',
  detectorHash: 'SHA-256 of the detector file',
  bundleHash: 'SHA-256 of the bundle',
  versions: 'Made with',
  browser: 'Browser',
  seen: 'Generators in training',
  decoderEqual: 'This browser decodes a reference picture exactly as in training.',
  decoderDiffers:
    'This browser decodes a reference picture differently than in training: scores may differ slightly.',
  decoding: 'Decoding',
  historyEmpty: 'No verdicts are saved yet.',
  historyDenied: 'This browser does not allow storage, so there is no history.',
  historyEntry: (/** @type {string} */ name, /** @type {string} */ label, /** @type {number} */ p) =>
    `${name}: ${label} (${percent(p)})`,
  updateFound: 'Another tab changed the history.',
};

/** The sentences of export/inference/evidence.py. */
export const EVIDENCE = {
  caution:
    'A score is not proof, and the detector misses generators that were not in its training. Do not accuse anyone ' +
    'because of it: find out where the picture comes from.',
  verdict: (/** @type {string} */ label, /** @type {number} */ p, /** @type {number} */ threshold, /** @type {string} */ point) =>
    `${label} (probability of fake ${p.toFixed(3)}, threshold ${threshold.toFixed(3)}` +
    `${point === 'balanced' ? '' : ` at ${point}`})`,
  falseAlarms: (/** @type {number | undefined} */ measured, /** @type {string} */ point) => {
    if (measured !== undefined) {
      return `Of real test pictures outside its training it called ${(100 * measured).toFixed(1)} % fake at this point.`;
    }
    if (point === 'balanced') {
      return 'How often it calls a real picture fake at this point was not measured for this file.';
    }
    return `This point was set for ${point.replace('fpr-', '').replace('%', ' %')} false alarms in validation.`;
  },
  worst: (/** @type {number} */ face, /** @type {number} */ count) =>
    ` Highest probability of fake: face ${face} of ${count}.`,
  leads: {
    'strong ai': 'AI made this picture: its metadata says so, with a verified signature.',
    'strong edited': 'This picture was edited or composed: its metadata says so, with a verified signature.',
    'strong camera': 'A camera took this picture: its metadata says so, with a verified signature.',
    'medium ai': 'AI likely made this picture: its metadata says so (not verified).',
    'medium edited': 'This picture was likely edited or composed: its metadata says so (not verified).',
    'medium camera': 'A camera may have taken this picture: its metadata says so (not verified).',
    'weak ai': 'There are weak signs that AI made this picture.',
    'weak edited': 'There are weak signs that this picture was edited.',
    'weak camera': 'The metadata names a camera, but anyone can write that.',
  },
  detectorLeads: {
    medium: 'This picture looks AI-generated to the detector at a strict setting; there is no other evidence.',
    weak: 'This picture looks AI-generated to the detector, which is often wrong; there is no other evidence.',
  },
  nothing: {
    fake: 'There is no evidence of AI.',
    real: 'No evidence of AI was found; that does not prove that it is a photograph.',
    unsure: 'There is no evidence for or against AI; the detector cannot tell either.',
    none: 'Nothing was classified, and no evidence of AI was found.',
  },
  tails: {
    fake: ' To the detector it looks AI-generated.',
    real: ' To the detector it looks real.',
    unsure: ' The detector cannot tell.',
  },
};

export const SELF_TEST = {
  ready: 'Ready.',
  progress: (/** @type {number} */ done, /** @type {number} */ count) => `Reference ${done} of ${count} …`,
  passed: (/** @type {number} */ count) =>
    `Passed: pictures, views, scores and heatmaps of ${plural(count, 'reference', 'references')} have the same bits.`,
  failed: 'Failed: something differs from training; see the table.',
  latency: (/** @type {number} */ median, /** @type {number} */ runs) =>
    `Median time of the model alone: ${median.toFixed(1)} ms in ${runs} runs.`,
  columns: ['Reference', 'Pixels', 'View', 'Score', 'Heatmap'],
  table: 'References',
  same: 'same bits',
  differs: 'differs',
};
