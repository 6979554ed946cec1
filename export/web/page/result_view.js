// One picture's result: the picture with its squares and overlays, the verdict of each face, evidence and details.
import {labelOf} from './js/detector.js';
import {definitions, element, svg} from './elements.js';
import {drawErrorLevels, drawHeat, drawSquares} from './drawing.js';
import {evidenceRows, evidenceTable, nameOf, sumUp} from './evidence.js';
import {LABELS, POINTS, TEXT} from './strings.js';

/** @typedef {import('./js/detector.js').Result} Result */
/** @typedef {import('./js/detector.js').Picture} Picture */

/**
 * `preview` is the upright picture, small; `decode` opens the file again; `details` are rows for the bottom.
 * @typedef {{name: string, bytes: Uint8Array, format: string, storedWidth: number, storedHeight: number, pictureNotes: string[],
 *   marks: import('./js/marks/rows.js').Row[], result: Result, description: import('./js/detector.js').Description, preview: HTMLCanvasElement, decode: () => Promise<Picture>, details: [string, string | null][]}} EvaluatedPicture
 */

let count = 0;

/**
 * The article of a picture that could not be evaluated, with what its file says of itself all the same.
 * @param {string} name @param {string} sentence @param {import('./js/marks/rows.js').Row[]} marks
 */
export function failureView(name, sentence, marks) {
  const article = articleOf(name);
  article.append(element('p', {class: 'error'}, sentence));
  if (marks.length) article.append(evidenceTable(marks, name));
  article.append(element('p', {class: 'buttons'}, removeButton(article)));
  return article;
}

/** @param {EvaluatedPicture} evaluated */
export function resultView(evaluated) {
  const article = articleOf(evaluated.name);
  const {stage, tools} = pictureView(evaluated);
  const says = element('div');
  const rows = evidenceRows(evaluated);
  says.append(element('p', {class: 'summary'}, sumUp(rows, evaluated.result)), ...verdicts(evaluated.result));
  const details = element('details', {}, element('summary', {}, TEXT.details), definitions(evaluated.details));
  const print = element('button', {type: 'button', class: 'secondary'}, TEXT.print);
  print.addEventListener('click', () => printOne(article, details));
  article.append(
    element('div', {class: 'columns'}, element('div', {}, stage, tools), says),
    element('h3', {}, TEXT.evidence),
    evidenceTable(rows, evaluated.name),
    details,
    element('p', {class: 'buttons'}, print, ' ', removeButton(article)),
  );
  return article;
}

/** @param {string} name */
function articleOf(name) {
  count += 1;
  const id = `picture-${count}`;
  return element('article', {'aria-labelledby': id}, element('h2', {id}, name));
}

/** @param {HTMLElement} article */
function removeButton(article) {
  const button = element('button', {type: 'button', class: 'secondary'}, TEXT.remove);
  button.addEventListener('click', () => {
    article.remove();
    document.getElementById('results')?.focus();
  });
  return button;
}

/** @param {HTMLElement} article @param {HTMLDetailsElement} details */
function printOne(article, details) {
  details.open = true;
  document.body.classList.add('one');
  article.classList.add('printed');
  window.print();
  document.body.classList.remove('one');
  article.classList.remove('printed');
}

/** @param {EvaluatedPicture} evaluated */
function pictureView({name, preview, result, decode}) {
  preview.setAttribute('role', 'img');
  preview.setAttribute('aria-label', name);
  const over = document.createElement('canvas');
  over.width = preview.width;
  over.height = preview.height;
  over.className = 'over';
  over.setAttribute('aria-hidden', 'true');
  const stage = element('div', {class: 'stage'}, preview, over, drawSquares(result));
  const slider = element('input', {type: 'range', min: '0', max: '100', value: '100', id: `strength-${count}`});
  const help = element('p', {class: 'legend', role: 'status'});
  slider.addEventListener('input', () => {
    over.style.opacity = String(Number(slider.value) / 100);
  });
  const choices = element('fieldset', {}, element('legend', {}, TEXT.show));
  const every = /** @type {const} */ (['heatmap', 'errorLevels', 'picture']);
  for (const value of every) {
    const input = element('input', {type: 'radio', name: `show-${count}`, value});
    input.checked = value === 'heatmap';
    input.addEventListener('change', () => show(value));
    choices.append(element('label', {}, input, ` ${TEXT[value]}`));
  }

  /** @param {(typeof every)[number]} what */
  async function show(what) {
    over.getContext('2d')?.clearRect(0, 0, over.width, over.height);
    help.textContent = '';
    slider.disabled = what === 'picture';
    if (what === 'heatmap') {
      drawHeat(over, result);
      const empty = result.faces.every(({heatmap}) => heatmap.values.every((value) => value === 0));
      if (result.faces.length) help.textContent = empty ? TEXT.nothingSpoke : TEXT.heatmapHelp;
    }
    if (what === 'errorLevels') {
      const picture = await decode();
      try {
        const gain = await drawErrorLevels(picture, over);
        help.textContent = gain === null ? TEXT.errorLevelsTooLarge : TEXT.errorLevelsHelp(gain);
      } finally {
        picture.close();
      }
    }
  }

  show('heatmap');
  const strength = element('p', {}, element('label', {for: slider.id}, TEXT.strength), element('br'), slider);
  return {stage, tools: element('div', {class: 'tools'}, choices, strength, help)};
}

/** @param {Result} result */
function verdicts(result) {
  const {faces, tooSmall, limits} = result;
  const views = faces.map((face) => {
    const label = labelOf(limits, face.probability);
    const view = element(
      'div',
      {class: 'face'},
      element('p', {class: `verdict ${label}`}, TEXT.verdict(nameOf(face), LABELS[label])),
      element('p', {}, TEXT.probability(face.probability)),
    );
    view.append(scale(face.probability, limits));
    return view;
  });
  const small = tooSmall.map(({number}) => element('p', {}, TEXT.tooSmall(number)));
  if (!faces.length && small.length) small.unshift(element('p', {class: 'verdict unsure'}, TEXT.allTooSmall));
  const legend = element('p', {class: 'legend'}, `${POINTS[result.operatingPoint]}. ${TEXT.scaleLegend(limits)}.`);
  const notes = result.faceNotes.map((note) => element('p', {}, note));
  return [...notes, ...views, ...small, ...(faces.length ? [legend] : [])];
}

/** The probability on a bar that shows the unsure band and the threshold. @param {number} p @param {import('./js/detector.js').Limits} limits */
function scale(p, limits) {
  const drawing = svg('svg', {
    class: 'scale', viewBox: '0 0 100 10', preserveAspectRatio: 'none', role: 'img', 'aria-label': TEXT.scale(p, limits),
  });
  const at = Math.min(Math.max(100 * p, 1), 99);
  drawing.append(
    svg('rect', {class: 'bar', x: 0, y: 3, width: 100, height: 4}),
    svg('rect', {class: 'band', x: 100 * limits.unsureFrom, y: 3, width: 100 * (limits.fakeFrom - limits.unsureFrom), height: 4}),
    svg('line', {class: 'limit', x1: 100 * limits.fakeFrom, x2: 100 * limits.fakeFrom, y1: 1, y2: 9}),
    svg('rect', {class: 'mark', x: at - 0.6, y: 0, width: 1.2, height: 10}),
  );
  return drawing;
}
