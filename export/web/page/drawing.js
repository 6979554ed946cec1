// What is drawn over and of a picture: the picture itself upright, squares, heatmaps, error levels.
import {overlay} from './js/detector.js';
import {svg} from './elements.js';

const HEAT_SIDE = 256;
const MOST_LEVEL_PIXELS = 24_000_000;
const BAND_PIXELS = 1 << 20;

// EXIF 2.32, tag 0x0112: the matrix that turns stored pixels of width w and height h upright.
/** @type {((w: number, h: number) => [number, number, number, number, number, number])[]} */
const TURNS = [
  () => [1, 0, 0, 1, 0, 0],
  (w) => [-1, 0, 0, 1, w, 0],
  (w, h) => [-1, 0, 0, -1, w, h],
  (_, h) => [1, 0, 0, -1, 0, h],
  () => [0, 1, 1, 0, 0, 0],
  (_, h) => [0, 1, -1, 0, h, 0],
  (w, h) => [0, -1, -1, 0, h, w],
  (w) => [0, -1, 1, 0, 0, w],
];

/**
 * The upright picture on white, at most `longest` pixels a side.
 * @param {import('./js/detector.js').Picture} picture
 * @param {number} longest
 */
export function drawUpright({bitmap, orientation}, longest) {
  const turned = orientation >= 5;
  const [width, height] = turned ? [bitmap.height, bitmap.width] : [bitmap.width, bitmap.height];
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(scale * width));
  canvas.height = Math.max(1, Math.round(scale * height));
  const context = contextOf(canvas);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.scale(canvas.width / width, canvas.height / height);
  context.transform(...TURNS[orientation - 1](bitmap.width, bitmap.height));
  context.drawImage(bitmap, 0, 0);
  return canvas;
}

/**
 * The heatmaps of all faces on a canvas that lies over the picture.
 * @param {HTMLCanvasElement} canvas
 * @param {import('./js/detector.js').Result} result
 */
export function drawHeat(canvas, {faces, width, height}) {
  const context = contextOf(canvas);
  const scale = canvas.width / width;
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const {square, heatmap} of faces) {
    const heat = document.createElement('canvas');
    heat.width = heat.height = HEAT_SIDE;
    contextOf(heat).putImageData(new ImageData(overlay(heatmap, HEAT_SIDE), HEAT_SIDE), 0, 0);
    const {left, top, right, bottom} = square
      ? {left: square.left, top: square.top, right: square.left + square.side, bottom: square.top + square.side}
      : {left: 0, top: 0, right: width, bottom: height};
    context.drawImage(heat, scale * left, scale * top, scale * (right - left), scale * (bottom - top));
  }
}

/**
 * The squares of all faces, numbered where there are several.
 * @param {import('./js/detector.js').Result} result
 */
export function drawSquares({faces, tooSmall, width, height}) {
  const drawing = svg('svg', {class: 'over', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true'});
  const every = [...faces, ...tooSmall];
  for (const {square, number} of every) {
    if (!square) continue;
    const box = {x: square.left, y: square.top, width: square.side, height: square.side};
    drawing.append(svg('rect', {...box, class: 'square-edge'}), svg('rect', {...box, class: 'square'}));
    if (every.length > 1) {
      const size = Math.max(square.side / 6, width / 40);
      const at = {x: Math.max(square.left, 0) + size / 4, y: Math.max(square.top, 0) + size};
      drawing.append(svg('text', {...at, class: 'number', transform: `translate(${at.x} ${at.y}) scale(${size})`, x: 0, y: 0}, String(number)));
    }
  }
  return drawing;
}

/**
 * Error levels of a picture: what saving it as JPEG once more changes, scaled so that the largest level is white.
 * @param {import('./js/detector.js').Picture} picture
 * @param {HTMLCanvasElement} target
 * @returns {Promise<number | null>} by which factor they were made stronger; null where the picture is too large
 */
export async function drawErrorLevels(picture, target) {
  const {width, height} = picture.bitmap;
  if (width * height > MOST_LEVEL_PIXELS) return null;
  const upright = drawUpright(picture, Infinity);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => upright.toBlob(resolve, 'image/jpeg', 0.9));
  if (!blob) return null;
  const saved = await createImageBitmap(blob, {colorSpaceConversion: 'none'});
  const again = document.createElement('canvas');
  again.width = upright.width;
  again.height = upright.height;
  contextOf(again).drawImage(saved, 0, 0);
  saved.close();
  const largest = eachBand(upright, again, (one, other) => {
    let most = 0;
    for (let i = 0; i < one.length; i += 1) most = Math.max(most, Math.abs(one[i] - other[i]));
    return most;
  });
  const gain = largest ? 255 / largest : 1;
  eachBand(upright, again, (one, other, image, top) => {
    for (let i = 0; i < one.length; i += 1) one[i] = i % 4 === 3 ? 255 : gain * Math.abs(one[i] - other[i]);
    contextOf(upright).putImageData(image, 0, top);
    return 0;
  });
  const context = contextOf(target);
  context.imageSmoothingQuality = 'high';
  context.drawImage(upright, 0, 0, target.width, target.height);
  return gain;
}

/**
 * @param {HTMLCanvasElement} one @param {HTMLCanvasElement} other
 * @param {(one: Uint8ClampedArray, other: Uint8ClampedArray, image: ImageData, top: number) => number} use
 * @returns {number} the largest number that `use` gave
 */
function eachBand(one, other, use) {
  const rows = Math.max(1, Math.floor(BAND_PIXELS / one.width));
  let largest = 0;
  for (let top = 0; top < one.height; top += rows) {
    const high = Math.min(rows, one.height - top);
    const image = contextOf(one).getImageData(0, top, one.width, high);
    const {data} = contextOf(other).getImageData(0, top, one.width, high);
    largest = Math.max(largest, use(image.data, data, image, top));
  }
  return largest;
}

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
  const context = canvas.getContext('2d', {willReadFrequently: true});
  if (!context) throw new Error('no memory for pictures');
  return context;
}
