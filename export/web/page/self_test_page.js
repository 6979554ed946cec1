// The self-test page.
import {FauxlensError} from './js/detector.js';
import {selfTest} from './js/self_test.js';
import {element} from './elements.js';
import {openSite} from './startup.js';
import {SELF_TEST, TEXT} from './strings.js';

const status = /** @type {HTMLElement} */ (document.getElementById('status'));
const run = /** @type {HTMLButtonElement} */ (document.getElementById('run'));
const save = /** @type {HTMLAnchorElement} */ (document.getElementById('save'));
const results = /** @type {HTMLElement} */ (document.getElementById('results'));

/** @param {unknown} error */
function tell(error) {
  const reason = error instanceof Error ? error.message : String(error);
  status.className = 'error';
  status.textContent = error instanceof FauxlensError ? TEXT.cannotStart(reason) : TEXT.unexpected(reason);
}

/** @param {import('./js/detector.js').Detector} detector @param {import('./startup.js').Site} site */
async function test(detector, site) {
  run.disabled = true;
  try {
    const header = {
      app: `fauxlens.web ${site.version}`,
      device: navigator.platform || 'browser',
      system: navigator.userAgent,
      runtime: site.runtime,
    };
    const report = await selfTest(detector, header, (done, count) => {
      status.textContent = SELF_TEST.progress(done, count);
    });
    status.textContent = report.passed ? SELF_TEST.passed(report.items.length) : SELF_TEST.failed;
    const median = [...report.latency].sort((a, b) => a - b)[report.latency.length >> 1];
    results.replaceChildren(element('p', {}, SELF_TEST.latency(median, report.latency.length)), table(report.items));
    URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(new Blob([report.json], {type: 'application/json'}));
    save.hidden = false;
  } catch (error) {
    tell(error);
  }
  run.disabled = false;
}

/** @param {import('./js/self_test.js').Item[]} items */
function table(items) {
  const head = element('tr');
  for (const title of SELF_TEST.columns) head.append(element('th', {scope: 'col'}, title));
  const body = element('tbody');
  for (const {name, decodedEqual, viewEqual, scoresEqual, heatmapEqual} of items) {
    const row = element('tr', {}, element('th', {scope: 'row'}, name));
    for (const equal of [decodedEqual, viewEqual, scoresEqual, heatmapEqual]) {
      row.append(element('td', {class: equal ? '' : 'error'}, equal ? SELF_TEST.same : SELF_TEST.differs));
    }
    body.append(row);
  }
  return element(
    'div',
    {class: 'table', role: 'region', tabindex: '0', 'aria-label': SELF_TEST.table},
    element('table', {}, element('thead', {}, head), body),
  );
}

try {
  const {detector, site} = await openSite();
  status.textContent = SELF_TEST.ready;
  run.disabled = false;
  run.addEventListener('click', () => test(detector, site));
} catch (error) {
  tell(error);
}
