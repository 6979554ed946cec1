// Reports in a real Chromium: axe-core finds nothing, nothing scrolls sideways but tables, and they print.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {pathToFileURL} from 'node:url';

const {FAUXLENS_REPORTS, FAUXLENS_CHROMIUM, FAUXLENS_PARTS} = process.env;
const require = createRequire(join(FAUXLENS_PARTS, 'package.json'));
const {chromium} = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const REPORTS = JSON.parse(FAUXLENS_REPORTS);

let browser;
before(async () => {
  browser = await chromium.launch({executablePath: FAUXLENS_CHROMIUM, args: ['--no-sandbox']});
});
after(() => browser?.close());

/** A report at a width. Its content policy forbids every script, axe-core's too, so that is lifted. */
async function open(report, options) {
  const context = await browser.newContext({bypassCSP: true, ...options});
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  await page.goto(pathToFileURL(report).href);
  return {page, context};
}

for (const report of REPORTS) {
  for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [360, 'light'], [360, 'dark']]) {
    test(`${report}: accessible and without sideways scrolling at ${width} pixels, ${colorScheme}`, async () => {
      const {page, context} = await open(report, {viewport: {width, height: 800}, colorScheme});
      await page.evaluate(AXE);
      const found = await page.evaluate(() => window.axe.run());
      assert.deepEqual(
        found.violations.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html).join(' ').slice(0, 300)}`),
        [],
      );
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
      await context.close();
    });
  }

  test(`${report}: prints on paper, dark on light, with no table cut off`, async () => {
    const {page, context} = await open(report, {viewport: {width: 700, height: 1000}, colorScheme: 'dark'});
    await page.emulateMedia({media: 'print'});
    const {paper, cut} = await page.evaluate(() => ({
      paper: getComputedStyle(document.body).backgroundColor,
      cut: [...document.querySelectorAll('.scroll')].filter((one) => getComputedStyle(one).overflowX !== 'visible').length,
    }));
    assert.equal(paper, 'rgb(255, 255, 255)');
    assert.equal(cut, 0);
    const pdf = await page.pdf({format: 'A4'});
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
    await context.close();
  });
}
