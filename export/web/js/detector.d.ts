// The types of detector.js, for other people's pages. docs/web.md says how it is used.

export type OperatingPoint = 'balanced' | 'fpr-1%' | 'fpr-0.5%';
export type Label = 'real' | 'unsure' | 'fake';

/** "fake" from `fakeFrom` on, else "unsure" from `unsureFrom` on, else "real". */
export interface Limits {
  fakeFrom: number;
  unsureFrom: number;
}

/** The midpoint of the eyes and their distance, in pixels of the upright picture. */
export interface Eyes {
  x: number;
  y: number;
  distance: number;
}

/** In pixels of the upright picture; may lie beyond its border. */
export interface Square {
  left: number;
  top: number;
  side: number;
}

/** What spoke for fake and where: row by row, 0..1, all zero where nothing did. */
export interface Heatmap {
  rows: number;
  columns: number;
  values: Float32Array;
}

export interface Step {
  verb: 'upright' | 'square' | 'face' | 'resize';
  number: number | null;
}

/** What happens to pixels before the model, such as `upright|face(2.4)|resize(224)`. */
export interface View {
  steps: Step[];
  text: string;
  size: number;
  faceFactor: number | null;
  turnsUpright: boolean;
}

/** One face, or the centre square where none was looked for or found. */
export interface FaceResult {
  /** Counts the faces of a picture from 1. */
  number: number;
  /** What was looked at; null is the whole picture. */
  square: Square | null;
  eyes: Eyes | null;
  viewSpec: View;
  /** The RGB bytes that the model saw, row by row. */
  view: Uint8Array;
  /** P(fake), 0..1, calibrated. */
  probability: number;
  label: Label;
  heatmap: Heatmap;
  scores: Float32Array;
  notes: string[];
}

/** A face whose square is less than half of the view's size a side: nothing is said of it. */
export interface SmallFace {
  number: number;
  square: Square;
  eyes: Eyes;
}

export interface Result {
  operatingPoint: OperatingPoint;
  limits: Limits;
  /** The faces that were evaluated, the largest first. */
  faces: FaceResult[];
  /** Those that are too small to classify. */
  tooSmall: SmallFace[];
  /** The evaluated face with the highest probability; null where all are too small. */
  worst: FaceResult | null;
  /** Whether this detector evaluates faces. */
  facesSought: boolean;
  facesFound: number;
  /** Of the upright picture. */
  width: number;
  height: number;
  /** A sentence where no face was found. */
  faceNotes: string[];
  /** That, and a sentence for each thing a person should know about how the picture was read. */
  notes: string[];
  milliseconds: number;
}

/** Pixels as they are stored, not upright yet; what `readRows` gives (RGBA) is valid until the next call. */
export interface Raster {
  width: number;
  height: number;
  readRows(left: number, top: number, width: number, rows: number): Uint8Array | Uint8ClampedArray;
}

export interface Picture {
  raster: Raster;
  bitmap: ImageBitmap;
  /** The EXIF orientation 1..8 that remains to be applied. */
  orientation: number;
  format: string;
  notes: string[];
  close(): void;
}

export interface RuntimeOptions {
  /** The address of the folder with LiteRT.js's WebAssembly files. */
  wasm: string;
  /** Needs a page that is isolated from others (COOP and COEP headers). */
  threads?: boolean;
  jspi?: boolean;
}

export interface Description {
  format: number;
  name: string;
  variant: string;
  view: string;
  unclearFaces: 'drop' | 'centre' | 'keep';
  frontEnd: string;
  size: number;
  heatmap: [number, number];
  operatingPoints: Map<OperatingPoint, Limits>;
  generatorsSeen: string[];
  sourcesSeen: string[];
  trainingSha256: string;
  createdBy: Map<string, string>;
  figures: Map<string, number>;
  licences: string[];
  faceFinder: {name: string; shortRange: string | null; fullRange: string | null} | null;
}

export interface DetectorFile {
  bytes: Uint8Array;
  description: Description;
  view: View;
  sha256: string;
}

export interface References {
  names: string[];
  pictures: Uint8Array[];
  decodedSha256: string[];
  eyes: (Eyes | null)[];
  views: Uint8Array;
  stages: Map<string, Float32Array>;
  heatmaps: Map<string, Float32Array>;
}

export interface Bundle {
  variants: Map<string, DetectorFile>;
  default: string;
  card: string;
  references: References;
  faceFinder: Map<string, Uint8Array>;
  sha256: string;
}

/** An opened detector, for one caller at a time. */
export interface Detector {
  file: DetectorFile;
  /** Null for a lone `.tflite`. */
  bundle: Bundle | null;
  description: Description;
  view: View;
  /** Evaluates a picture: every face of it, or its centre square. Throws FauxlensError for what is no picture. */
  detect(
    source: Blob | Uint8Array | ImageBitmap | Picture,
    options?: {operatingPoint?: OperatingPoint; name?: string},
  ): Promise<Result>;
  /** Runs a view of size * size * 3 RGB bytes. */
  run(view: Uint8Array): Promise<{scores: Float32Array; heatmap: Float32Array}>;
  /** What a view took from a picture, at another resolution: side * side RGB bytes. */
  closeUp(picture: Picture, face: FaceResult, side: number): Uint8Array;
  /** Whether this browser decodes a reference picture to the pixels of training; null without a bundle. */
  decodesAsTrained(): Promise<boolean | null>;
  close(): void;
}

/** What this module throws: one sentence that says what is wrong, where, and what to do about it. */
export class FauxlensError extends Error {}

export const OPERATING_POINTS: OperatingPoint[];
export const NO_FACE: string;

/** Opens a bundle or a detector file, checks all of it and loads the runtime. */
export function openDetector(
  bytes: Uint8Array,
  options: RuntimeOptions & {
    /** How errors call the file. */
    name?: string;
    /** The face finder's models by their names in a bundle, for a file without. */
    faceFinder?: Map<string, Uint8Array>;
  },
): Promise<Detector>;
/** The label of a calibrated probability of "fake". */
export function labelOf(limits: Limits, probability: number): Label;
/** The overlay's pixels, side * side, RGBA: where nothing spoke for fake they are clear. */
export function overlay(heatmap: Heatmap, side: number): Uint8ClampedArray<ArrayBuffer>;
/** Decodes a picture file, as `detect` does. */
export function decodePicture(bytes: Uint8Array, name: string): Promise<Picture>;
/** The RGB bytes of a whole picture, row by row as stored. */
export function storedPixels(raster: Raster): Uint8Array;
