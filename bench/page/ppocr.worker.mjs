// PP-OCR in a worker, on onnxruntime-web: a picture in, its text out. What is around the networks is ppocr.mjs.
import { classesOf, decode, LINE_HEIGHT, lineBoxes, onnxMetadata, readingOrder } from "./ppocr.mjs";

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];
/** Lines are padded to this width at least. */
const LEAST_WIDTH = 320;

let [ort, detector, recogniser, classes, longest] = [];

const bytesOf = async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

async function open({ threads, side }) {
  ort = await import("/npm/onnxruntime-web/dist/ort.wasm.bundle.min.mjs");
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  const [detection, recognition] = await Promise.all(["det", "rec"].map((part) => bytesOf(`/models/tinyocr/assets/PP-OCRv6_${part}_tiny.onnx`)));
  detector = await ort.InferenceSession.create(detection, { executionProviders: ["wasm"] });
  recogniser = await ort.InferenceSession.create(recognition, { executionProviders: ["wasm"] });
  classes = classesOf(onnxMetadata(recognition).character);
  longest = side;
  return { version: ort.env.versions.web, classes: classes.length };
}

function pixels(width, height, draw) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  draw(context);
  return context.getImageData(0, 0, width, height).data;
}

/** Planes of blue, green and red, as the networks were trained; columns from `width` to `padded` stay 0. */
function planes(data, width, height, padded, value) {
  const tensor = new Float32Array(3 * height * padded);
  for (let channel = 0; channel < 3; channel += 1) {
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
      tensor[(channel * height + y) * padded + x] = value(data[(y * width + x) * 4 + 2 - channel] / 255, channel);
    }
  }
  return new ort.Tensor("float32", tensor, [1, 3, height, padded]);
}

const forward = async (session, input) => (await session.run({ [session.inputNames[0]]: input }))[session.outputNames[0]];

async function detect(bitmap) {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((size) => Math.max(32, Math.round((size * scale) / 32) * 32));
  const data = pixels(width, height, (context) => context.drawImage(bitmap, 0, 0, width, height));
  const map = await forward(detector, planes(data, width, height, width, (value, channel) => (value - MEAN[channel]) / DEVIATION[channel]));
  const [mapHeight, mapWidth] = map.dims.slice(-2);
  return lineBoxes(map.data, mapWidth, mapHeight, { x: bitmap.width / mapWidth, y: bitmap.height / mapHeight });
}

const distance = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);

/** A line's text: its box is set upright and read. */
async function read(bitmap, [topLeft, topRight, , bottomLeft]) {
  const ratio = distance(topLeft, topRight) / Math.max(1, distance(topLeft, bottomLeft));
  const width = Math.max(1, Math.ceil(LINE_HEIGHT * ratio));
  const [ax, ay] = [(topRight[0] - topLeft[0]) / width, (topRight[1] - topLeft[1]) / width];
  const [bx, by] = [(bottomLeft[0] - topLeft[0]) / LINE_HEIGHT, (bottomLeft[1] - topLeft[1]) / LINE_HEIGHT];
  const determinant = ax * by - bx * ay;
  const [a, b, c, d] = [by / determinant, -ay / determinant, -bx / determinant, ax / determinant];
  const data = pixels(width, LINE_HEIGHT, (context) => {
    context.setTransform(a, b, c, d, -(a * topLeft[0] + c * topLeft[1]), -(b * topLeft[0] + d * topLeft[1]));
    context.drawImage(bitmap, 0, 0);
  });
  const scores = await forward(recogniser, planes(data, width, LINE_HEIGHT, Math.max(width, LEAST_WIDTH), (value) => (value - 0.5) / 0.5));
  if (scores.dims.at(-1) !== classes.length) throw new Error(`the recogniser has ${scores.dims.at(-1)} classes, and ${classes.length} are named`);
  return decode(scores.data, classes);
}

async function run(blob) {
  const bitmap = await createImageBitmap(blob);
  const boxes = await detect(bitmap);
  const lines = [];
  for (const row of readingOrder(boxes, bitmap.width)) {
    const texts = [];
    for (const index of row) texts.push(await read(bitmap, boxes[index]));
    lines.push(texts.join(" "));
  }
  bitmap.close();
  return lines.join("\n");
}

self.onmessage = ({ data: { kind, value } }) => (kind === "open" ? open(value) : run(value))
  .then((answer) => self.postMessage({ value: answer }), (error) => self.postMessage({ error: String(error?.stack ?? error) }));
