// Evidence rows and the line that sums them up, in the words of export/inference/evidence.py: what the file is and says of
// its origin, which faces were found, what the detector says and how often it is wrong, and a caution.
import {EVIDENCE, KINDS, LABELS, STRENGTHS, TEXT} from './strings.js';
import {element} from './elements.js';

/** @typedef {import('./js/detector.js').Result} Result */
/** @typedef {import('./js/detector.js').FaceResult} FaceResult */
/** @typedef {import('./js/detector.js').Description} Description */
/** @typedef {import('./js/marks/rows.js').Row} Row */

const OWN_ORDER = ['file', 'provenance', 'metadata', 'traces'];

/**
 * @param {{bytes: Uint8Array, format: string, storedWidth: number, storedHeight: number, pictureNotes: string[],
 *   marks: Row[], result: Result, description: Description}} seen `marks` are what the file says of itself
 * @returns {Row[]}
 */
export function evidenceRows({bytes, format, storedWidth, storedHeight, pictureNotes, marks, result, description}) {
  const file = [TEXT.fileRow(format, storedWidth, storedHeight, bytes.length), ...pictureNotes].join(' ');
  return [
    plain('file', file, 'file'),
    ...[...marks].sort((a, b) => OWN_ORDER.indexOf(a.kind) - OWN_ORDER.indexOf(b.kind)),
    ...faceRows(result),
    ...result.faces.map((face) => detectorRow(face, result, description)),
    plain('caution', EVIDENCE.caution, 'Fauxlens'),
  ];
}

/** @param {Result} result @returns {Row[]} */
function faceRows({facesSought, facesFound, faceNotes, tooSmall}) {
  const texts = [...faceNotes, ...tooSmall.map(({number}) => TEXT.tooSmall(number))];
  if (facesFound) texts.unshift(TEXT.facesRow(facesFound));
  if (!facesSought) texts.push(TEXT.wholeRow);
  return texts.map((text) => plain('faces', text, 'face finder'));
}

/** @param {FaceResult} face @param {Result} result @param {Description} description @returns {Row} */
function detectorRow(face, {faces, tooSmall, limits, operatingPoint}, {name, variant, figures}) {
  const several = faces.length + tooSmall.length > 1;
  const verdict = EVIDENCE.verdict(LABELS[face.label], face.probability, limits.fakeFrom, operatingPoint);
  const text = several ? `${TEXT.face(face.number)} ${verdict}` : verdict[0].toUpperCase() + verdict.slice(1);
  const alarms = EVIDENCE.falseAlarms(figures.get(`reals_called_fake ${operatingPoint}`), operatingPoint);
  const fake = face.label === 'fake';
  return {
    kind: 'detector',
    strength: !fake ? 'none' : operatingPoint === 'balanced' ? 'weak' : 'medium',
    says: fake ? 'ai' : 'nothing',
    text: [`${text}.`, alarms, ...face.notes].join(' '),
    source: `detector ${name} (${variant})`,
  };
}

const RANKS = ['provenance', 'metadata', 'traces', 'detector'];
const SAYS = ['ai', 'edited', 'camera'];
const ORDER = ['strong', 'medium', 'weak'];

/**
 * One line that never claims more than the strongest row, and of several faces the worst.
 * @param {Row[]} rows @param {Result} result
 */
export function sumUp(rows, result) {
  const {worst, faces, tooSmall} = result;
  const count = faces.length + tooSmall.length;
  return saidBy(rows, worst) + (worst && count > 1 ? EVIDENCE.worst(worst.number, count) : '');
}

/** @param {Row[]} rows @param {FaceResult | null} worst */
function saidBy(rows, worst) {
  const telling = rows.filter(({says, strength}) => says !== 'nothing' && strength !== 'none');
  const rank = (/** @type {Row} */ row) => {
    const kind = RANKS.includes(row.kind) ? RANKS.indexOf(row.kind) : RANKS.length;
    return 100 * ORDER.indexOf(row.strength) + 10 * kind + SAYS.indexOf(row.says);
  };
  const best = telling.sort((a, b) => rank(a) - rank(b))[0];
  if (!best) return EVIDENCE.nothing[worst?.label ?? 'none'];
  if (best.kind === 'detector') return EVIDENCE.detectorLeads[best.strength === 'weak' ? 'weak' : 'medium'];
  const lead = EVIDENCE.leads[/** @type {keyof typeof EVIDENCE.leads} */ (`${best.strength} ${best.says}`)];
  return lead + (worst ? EVIDENCE.tails[worst.label] : '');
}

/** What an evaluated part is called. @param {FaceResult} face */
export function nameOf(face) {
  if (face.eyes) return TEXT.face(face.number);
  return face.square ? TEXT.centre : TEXT.whole;
}

/** @param {Row[]} rows @param {string} name the picture's, so that tables can be told apart */
export function evidenceTable(rows, name) {
  const body = element('tbody');
  for (const {kind, strength, text} of rows) {
    const heading = element('th', {scope: 'row'}, KINDS[kind]);
    body.append(element('tr', {}, heading, element('td', {}, text), element('td', {}, STRENGTHS[strength])));
  }
  const head = element('tr');
  for (const title of [TEXT.evidence, TEXT.says, TEXT.weight]) head.append(element('th', {scope: 'col'}, title));
  const label = `${TEXT.evidence}: ${name}`;
  const table = element('table', {}, element('thead', {}, head), body);
  return element('div', {class: 'table', role: 'region', tabindex: '0', 'aria-label': label}, table);
}

/** @param {Row['kind']} kind @param {string} text @param {string} source @returns {Row} */
function plain(kind, text, source) {
  return {kind, strength: 'none', says: 'nothing', text, source};
}
