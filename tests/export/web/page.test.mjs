// The web page in a real Chromium without a window: run by test_page.py, which serves a site and says where.
import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {basename, join} from 'node:path';
import test, {after, before} from 'node:test';
import {fileURLToPath} from 'node:url';

const {FAUXLENS_PAGE: PAGE, FAUXLENS_EXPECTED, FAUXLENS_CHROMIUM, FAUXLENS_PARTS, FAUXLENS_OUT} = process.env;
const require = createRequire(join(FAUXLENS_PARTS, 'package.json'));
const {chromium} = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const GOLDEN = fileURLToPath(new URL('../../golden/', import.meta.url));
const PICTURES = join(GOLDEN, 'pictures');
// Drawn portraits that are large enough to be classified.
const LARGE = join(FAUXLENS_EXPECTED, 'large');
const expected = (name) => JSON.parse(readFileSync(join(FAUXLENS_EXPECTED, name), 'utf8'));
// For a machine that does much else.
const PATIENCE = {timeout: 120_000};
const READY = 'The detector is ready. Choose a picture.';

let browser;
before(async () => {
  browser = await chromium.launch({executablePath: FAUXLENS_CHROMIUM, args: ['--no-sandbox']});
});
after(() => browser?.close());

/** A fresh page, with all that it asks for and all that goes wrong in it. */
async function open(path = '', options = {}, prepare = async () => {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
  context.setDefaultTimeout(PATIENCE.timeout);
  const page = await context.newPage();
  const requests = [];
  const errors = [];
  context.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => errors.push(String(error)));
  await prepare(page, context);
  await page.goto(PAGE + path);
  return {context, page, requests, errors};
}

const status = (page, pattern) =>
  page.waitForFunction(
    (text) => new RegExp(text).test(document.getElementById('status').textContent),
    pattern.source,
    PATIENCE,
  );

async function choose(page, files) {
  const count = (await page.locator('article').count()) + files.length;
  // Playwright takes paths or contents, not both at once.
  const contents = files.map((file) =>
    typeof file === 'string' ? {name: basename(file), mimeType: 'image/*', buffer: readFileSync(file)} : file,
  );
  await page.setInputFiles('#choose', contents);
  await page.waitForFunction((n) => document.querySelectorAll('article').length === n, count, PATIENCE);
  await status(page, /classified/);
}

const named = (name, text, mimeType = 'image/jpeg') => ({name, mimeType, buffer: Buffer.from(text)});

async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run());
  return found.violations.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html).join(' ').slice(0, 300)}`);
}

test('every golden picture gives the pixels, views, scores and heatmaps of detect, bit for bit', async () => {
  const {page, context, requests} = await open();
  await status(page, /ready/);
  for (const golden of expected('bits.json')) {
    const bytes = [...readFileSync(join(GOLDEN, golden.file))];
    const found = await page.evaluate(
      async ({golden, bytes}) => {
        const {decodePicture, storedPixels, FauxlensError} = await import('./js/detector.js');
        const {applyView} = await import('./js/apply_view.js');
        const {parseView} = await import('./js/view.js');
        const {sha256, floatBits} = await import('./js/hash.js');
        const {openSite} = await import('./startup.js');
        window.opened ??= openSite();
        const {detector} = await window.opened;
        try {
          const picture = await decodePicture(new Uint8Array(bytes), golden.file);
          const trips = [];
          for (const {view: text, eyes} of golden.trips ?? []) {
            const view = applyView(parseView(text), picture.raster, picture.orientation, eyes);
            const {scores, heatmap} = await detector.run(view);
            trips.push({view_sha256: await sha256(view), scores: floatBits(scores), heatmap: floatBits(heatmap)});
          }
          return {decoded_sha256: await sha256(storedPixels(picture.raster)), orientation: picture.orientation, trips};
        } catch (error) {
          if (!(error instanceof FauxlensError)) throw error;
          return {refused: error.message};
        }
      },
      {golden, bytes},
    );
    if (golden.refused) {
      assert.equal(found.refused, golden.refused);
      continue;
    }
    const {file, decoded_sha256, orientation} = golden;
    const trips = golden.trips.map(({view_sha256, scores, heatmap}) => ({view_sha256, scores, heatmap}));
    assert.deepEqual({file, ...found}, {file, decoded_sha256, orientation, trips});
  }
  assert.deepEqual(requests.filter((url) => !url.startsWith(PAGE)), []);
  await context.close();
});

test('the marks of every golden file are the rows of Python, those in the alpha of WebP too', async () => {
  const {page, context} = await open();
  const {files} = JSON.parse(readFileSync(join(GOLDEN, 'marks/rows.json'), 'utf8'));
  assert.ok('hidden-novelai.webp' in files);
  for (const [name, {container, rows}] of Object.entries(files)) {
    const found = await page.evaluate(
      async (bytes) => {
        const {readMarks} = await import('./js/marks/read.js');
        const {alphaOfWebp} = await import('./js/decode.js');
        window.tables ??= await (await fetch('marks.json')).json();
        return readMarks(new Uint8Array(bytes), window.tables, alphaOfWebp);
      },
      [...readFileSync(join(GOLDEN, 'marks', name))],
    );
    assert.deepEqual({name, ...found}, {name, container, rows});
  }
  await context.close();
});

test('the face finder finds the faces of Python in every golden picture, bit for bit', async () => {
  const {page, context} = await open();
  await status(page, /ready/);
  const models = {};
  for (const name of ['short_range', 'full_range']) {
    const path = fileURLToPath(new URL(`../../../train/image/face_finder/models/${name}.tflite`, import.meta.url));
    models[`face_finder/${name}.tflite`] = readFileSync(path).toString('base64');
  }
  await page.evaluate(async (models) => {
    const {openFaceFinder} = await import('./js/face_finder.js');
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const members = new Map(Object.entries(models).map(([name, text]) => [name, bytes(text)]));
    window.finder = openFaceFinder(members, {wasm: 'runtime/wasm/'});
  }, models);
  const cases = JSON.parse(readFileSync(join(GOLDEN, 'face_finder/pictures.json'), 'utf8'));
  assert.ok(cases.some(({faces}) => faces.length > 1));
  for (const {file, faces} of cases) {
    const found = await page.evaluate(
      async ({file, bytes}) => {
        const {decodePicture} = await import('./js/detector.js');
        const picture = await decodePicture(new Uint8Array(bytes), file);
        return window.finder.find(picture.raster, picture.orientation);
      },
      {file, bytes: [...readFileSync(join(GOLDEN, file))]},
    );
    const plain = found.map(({box, eyes, logit}) => ({box, eyes: [eyes.x, eyes.y, eyes.distance], logit}));
    assert.deepEqual({file, faces: plain}, {file, faces: faces.map(({box, eyes, logit}) => ({box, eyes, logit}))});
  }
  await context.close();
});

test('every face is classified with the probability of Python, and too small ones are named', async () => {
  const cases = expected('faces.json');
  assert.ok(cases.some(({faces}) => faces.length > 1));
  assert.ok(cases.some(({small}) => small.length));
  assert.ok(cases.some(({found}) => !found));
  const {page, context} = await open();
  await status(page, /ready/);
  await page.evaluate(async () => {
    const {openSite} = await import('./startup.js');
    window.detector = (await openSite()).detector;
  });
  for (const {file, faces, small, found} of cases) {
    const result = await page.evaluate(
      async ({file, bytes}) => {
        const {faces, tooSmall, facesFound} = await window.detector.detect(new Uint8Array(bytes), {name: file});
        return {
          faces: faces.map(({number, probability, label}) => [number, probability, label]),
          small: tooSmall.map(({number}) => number),
          found: facesFound > 0,
        };
      },
      {file, bytes: [...readFileSync(join(LARGE, file))]},
    );
    assert.deepEqual({file, ...result}, {file, faces, small, found});
  }
  await choose(page, [join(LARGE, 'group.png'), join(PICTURES, 'wide_1.png'), join(PICTURES, 'tiny.png')]);
  const [group, small, tiny] = await page.locator('article').allInnerTexts();
  assert.match(group, /Face 1: (looks|cannot)/);
  assert.match(group, /Face 2: (looks|cannot)/);
  assert.match(small, /Face 1 is too small to classify:/);
  assert.match(tiny, /No face found: this detector classifies faces; the centre square was used instead\./);
  await page.screenshot({path: join(FAUXLENS_OUT, 'faces.png'), fullPage: true});
  assert.deepEqual(await violations(page), []);
  await context.close();
});

test('a list of pictures goes on past those that fail, each with a sentence', async () => {
  const start = performance.now();
  const {page, context, errors, requests} = await open();
  await status(page, /ready/);
  await choose(page, [join(LARGE, 'plain.png')]);
  const cold = performance.now() - start;
  const warm = performance.now();
  await choose(page, [join(LARGE, '420.jpg')]);
  const next = performance.now() - warm;
  await page.locator('article').first().getByRole('button', {name: 'Remove'}).click();
  await choose(page, [
    join(LARGE, 'tall_6.jpg'),
    named('drawing.jpg', '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "run"</script></svg>'),
    named('page.jpg', '<!doctype html><script>document.title = "run"</script>'),
    named('empty.png', '', 'image/png'),
    {name: 'cut.jpg', mimeType: 'image/jpeg', buffer: readFileSync(join(PICTURES, '420.jpg')).subarray(0, 2000)},
    join(GOLDEN, 'formats/animated.gif'),
    join(GOLDEN, 'formats/cmyk.jpg'),
    join(PICTURES, 'sixteen_bit_grey.png'),
    join(GOLDEN, 'marks/a1111.png'),
    join(GOLDEN, 'marks/c2pa.heic'),
  ]);
  const articles = await page.locator('article').allInnerTexts();
  const expected = [
    [/^tall_6\.jpg/, /Probability of AI-generated: [0-9.]+ %/],
    [/^drawing\.jpg/, /drawing\.jpg is a drawing in SVG or another XML file, not a photograph/],
    [/^page\.jpg/, /page\.jpg is a web page, not a picture/],
    [/^empty\.png/, /empty\.png is empty \(0 bytes\): get the file again\./],
    [/^cut\.jpg/, /cut\.jpg is damaged or cut short: get the file again\./],
    [/^animated\.gif/, /animated\.gif has 2 frames/],
    [/^cmyk\.jpg/, /CMYK was converted to RGB without a colour profile\./],
    [/^sixteen_bit_grey\.png/, /16 bits a channel were reduced to 8\./],
    [/^a1111\.png/, /AI likely made this picture/, /names a generator of pictures: Stable Diffusion WebUI/],
    [/^c2pa\.heic/, /is a HEIC picture, which this page does not read/, /Carries a C2PA manifest/],
    [/^plain\.png/, /Probability of AI-generated: [0-9.]+ %/],
  ];
  assert.equal(articles.length, expected.length);
  expected.forEach((patterns, i) => patterns.forEach((pattern) => assert.match(articles[i], pattern)));
  assert.equal(await page.title(), 'Fauxlens: was this face made by AI?');
  assert.deepEqual(errors, []);
  assert.deepEqual(requests.filter((url) => !url.startsWith(PAGE)), []);
  writeFileSync(join(FAUXLENS_OUT, 'times.json'), JSON.stringify({cold, next}));
  await context.close();
});

test('the page works without a network after its first load', async () => {
  const {page, context} = await open();
  await status(page, /ready/);
  await page.waitForFunction(() => document.getElementById('offline').textContent !== '', null, PATIENCE);
  await context.setOffline(true);
  await page.reload();
  await status(page, /ready/);
  await choose(page, [join(LARGE, 'plain.png')]);
  assert.match(await page.locator('article').innerText(), /Probability of AI-generated/);
  await page.goto(`${PAGE}self-test.html`);
  await status(page, /Ready/);
  // The worker sets the headers that isolate the page, whatever the host sends.
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  await context.close();
});

test('the self-test passes and its report can be saved', async () => {
  const {page, context} = await open('self-test.html');
  await status(page, /Ready/);
  await page.click('#run');
  await status(page, /Passed|Failed|cannot|wrong/);
  assert.match(await page.textContent('#status'), /^Passed:/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  await download.saveAs(join(FAUXLENS_OUT, 'self-test.json'));
  assert.deepEqual(await violations(page), []);
  await context.close();
});

test('pictures can be pasted and dropped, and what is no file is told', async () => {
  const {page, context} = await open();
  await status(page, /ready/);
  const bytes = [...readFileSync(join(LARGE, 'plain.png'))];
  for (const type of ['paste', 'drop']) {
    await page.evaluate(
      ({type, bytes}) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], `${type}.png`, {type: 'image/png'}));
        const event =
          type === 'paste'
            ? new ClipboardEvent('paste', {clipboardData: data, bubbles: true})
            : new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});
        document.body.dispatchEvent(event);
      },
      {type, bytes},
    );
    await page.waitForFunction((name) => document.querySelector('h2')?.ownerDocument.body.innerText.includes(name), `${type}.png`);
    await status(page, /classified/);
  }
  await page.evaluate(() => document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: new DataTransfer(), bubbles: true, cancelable: true})));
  assert.match(await page.textContent('#status'), /That was not a file/);
  await context.close();
});

test('history is off, kept on request, seen by other tabs, and erased', async () => {
  const {page, context} = await open();
  await status(page, /ready/);
  await choose(page, [join(LARGE, 'plain.png')]);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await page.check('#keep');
  const other = await context.newPage();
  await other.goto(PAGE);
  await status(other, /ready/);
  await choose(page, [join(LARGE, 'grey.png')]);
  await other.waitForFunction(() => document.getElementById('entries').textContent.includes('grey.png'));
  assert.equal(await page.locator('#entries li').count(), 1);
  await page.click('#erase');
  assert.equal(await page.textContent('#entries'), 'No verdicts are saved yet.');
  await page.uncheck('#keep');
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await context.close();
});

test('a browser that stores nothing is told, and pictures are classified all the same', async () => {
  const {page, context} = await open('', {serviceWorkers: 'block'}, (page) =>
    page.addInitScript(() => {
      Object.defineProperty(window, 'localStorage', {
        get() {
          throw new DOMException('denied', 'SecurityError');
        },
      });
    }),
  );
  await status(page, /ready/);
  await page.click('#keep');
  assert.match(await page.textContent('#entries'), /does not allow storage/);
  await choose(page, [join(LARGE, 'plain.png')]);
  await context.close();
});

for (const [name, pattern, prepare] of [
  ['no WebAssembly', /has no WebAssembly/, (page) => page.addInitScript(() => delete window.WebAssembly)],
  ['no SIMD', /no SIMD/, (page) => page.addInitScript(() => (WebAssembly.validate = () => false))],
  [
    'a damaged model',
    /model\/bundle\.zip cannot be loaded whole/,
    (page) => page.route('**/model/bundle.zip', (route) => route.fulfill({body: 'damaged'})),
  ],
  [
    'a runtime that is gone',
    /LiteRT\.js cannot be loaded/,
    (page) => page.route('**/runtime/wasm/**', (route) => route.abort()),
  ],
]) {
  test(`${name}: one sentence`, async () => {
    const {page, context, errors} = await open('', {serviceWorkers: 'block'}, prepare);
    await status(page, /cannot start/);
    assert.match(await page.textContent('#status'), pattern);
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test('a script that was changed on the host does not run', async () => {
  const {page, context} = await open('', {serviceWorkers: 'block'}, (page) =>
    page.route('**/js/decision.js', (route) =>
      route.fulfill({contentType: 'text/javascript', body: 'document.title = "changed"; export const labelOf = () => "real", OPERATING_POINTS = [];'}),
    ),
  );
  await page.waitForLoadState('networkidle');
  assert.equal(await page.title(), 'Fauxlens: was this face made by AI?');
  assert.equal(await page.textContent('#status'), 'Loading the detector …');
  await context.close();
});

for (const [width, colorScheme] of [[1280, 'light'], [768, 'dark'], [360, 'light'], [320, 'dark']]) {
  test(`accessible and without sideways scrolling at ${width} pixels, ${colorScheme}`, async () => {
    const {page, context} = await open('', {viewport: {width, height: 800}, colorScheme, reducedMotion: 'reduce'});
    await status(page, /ready/);
    assert.equal(await page.textContent('#status'), READY);
    await choose(page, [join(LARGE, 'plain.png'), named('none.jpg', 'no picture')]);
    await page.locator('summary').click();
    await page.locator('input[value=errorLevels]').check();
    await page.waitForFunction(() => document.querySelector('.tools [role=status]').textContent.includes('JPEG'));
    await page.screenshot({path: join(FAUXLENS_OUT, `page-${width}-${colorScheme}.png`), fullPage: true});
    assert.deepEqual(await violations(page), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
    await context.close();
  });
}

test('everything can be reached and worked with the keyboard', async () => {
  const {page, context} = await open();
  await status(page, /ready/);
  await choose(page, [join(LARGE, 'plain.png')]);
  const reached = new Set();
  for (let i = 0; i < 30; i += 1) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim() || document.activeElement.type));
  }
  for (const stop of ['choose', 'Details', 'Print', 'Remove', 'keep', 'Self-test of this browser']) {
    assert.ok(reached.has(stop), `${stop} in ${[...reached]}`);
  }
  await page.locator('input[type=range]').focus();
  await page.keyboard.press('Home');
  assert.equal(await page.evaluate(() => document.querySelector('canvas.over').style.opacity), '0');
  await page.getByRole('button', {name: 'Remove'}).press('Enter');
  assert.equal(await page.locator('article').count(), 0);
  await context.close();
});

test('one picture is printed with its hashes, open', async () => {
  const {page, context} = await open();
  await status(page, /ready/);
  await choose(page, [join(LARGE, 'plain.png'), join(LARGE, 'grey.png')]);
  const printed = await page.evaluate(async () => {
    let seen = null;
    window.print = () => {
      seen = [...document.querySelectorAll('article')].map((one) => [one.classList.contains('printed'), one.querySelector('details').open]);
    };
    document.querySelectorAll('article')[1].querySelector('.buttons button').click();
    return seen;
  });
  assert.deepEqual(printed, [[false, false], [true, true]]);
  await page.emulateMedia({media: 'print'});
  assert.equal(await page.locator('#drop').isVisible(), false);
  await context.close();
});
