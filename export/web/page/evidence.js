// Evidence rows, as `fauxlens detect` writes them (docs/evidence.md): what the file says, which faces were found, what the
// detector thinks, and what to be careful about. Each reader below adds rows; more readers may follow.
import {KINDS, STRENGTHS, TEXT, fileSize} from './strings.js';
import {element} from './elements.js';

/** @typedef {{kind: keyof typeof KINDS, strength: keyof typeof STRENGTHS, says: 'ai' | 'edited' | 'camera' | 'nothing',
 *   text: string, source: string}} Row */

/**
 * @param {{bytes: Uint8Array, format: string, storedWidth: number, storedHeight: number,
 *   result: import('./js/detector.js').Result}} seen
 * @returns {Row[]}
 */
export function evidenceRows({bytes, format, storedWidth, storedHeight, result}) {
  const {faces, facesFound, facesSought, notes} = result;
  /** @type {Row[]} */
  const rows = [plain('file', TEXT.fileRow(format, storedWidth, storedHeight, fileSize(bytes.length)), 'header')];
  rows.push(facesSought ? plain('faces', TEXT.facesRow(facesFound), 'face finder') : plain('faces', TEXT.wholeRow, 'view'));
  for (const face of faces) {
    rows.push({
      kind: 'detector',
      strength: face.label === 'unsure' ? 'none' : 'weak',
      says: face.label === 'fake' ? 'ai' : face.label === 'real' ? 'camera' : 'nothing',
      text: TEXT.detectorRow(nameOf(face), face.probability),
      source: 'detector',
    });
  }
  const cautions = [...notes, ...faces.flatMap((face) => face.notes), TEXT.caution];
  return [...rows, ...cautions.map((text) => plain('caution', text, 'detector'))];
}

/** What a judged part is called. @param {import('./js/detector.js').FaceResult} face */
export function nameOf(face) {
  if (face.eyes) return TEXT.face(face.number);
  return face.square ? TEXT.centre : TEXT.whole;
}

/** @param {Row[]} rows @param {string} name the picture's, so that tables can be told apart */
export function evidenceTable(rows, name) {
  const body = element('tbody');
  for (const {kind, strength, text} of rows) {
    body.append(
      element('tr', {}, element('th', {scope: 'row'}, KINDS[kind]), element('td', {}, text), element('td', {}, STRENGTHS[strength])),
    );
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
