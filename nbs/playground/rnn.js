// A character-level RNN in float64, without a dependency: reads what rnn_scratch.playground writes, and runs it.
// V tokens, H hidden units, one row (B = 1); a matrix of (rows, columns) lies row after row in one array.

const MAGIC = 'rnn-web\n', VERSION = 1, PREAMBLE = 48; // magic 8, version 4, length of the content 4, its SHA-256 32

export class WeightsError extends Error {
  constructor(code, message) { // missing, foreign, version, size or hash
    super(message);
    this.code = code;
  }
}

export function float16(bits) { // IEEE 754 half precision -> number
  const sign = bits & 0x8000 ? -1 : 1, exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

// The bytes of a file -> the model: tokens, index (token -> number), num_hiddens, seed, corpus_sha1 and the five
// parameters. `hashed` is false where the browser has no SHA-256 to offer (pages that are neither https nor
// localhost): then only the lengths have been checked.
export async function parse(bytes, subtle = globalThis.crypto?.subtle) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (!MAGIC.startsWith(magic)) throw new WeightsError('foreign', `it starts with ${JSON.stringify(magic)}`);
  if (bytes.length >= 12 && view.getUint32(8, true) !== VERSION) {
    throw new WeightsError('version', `version ${view.getUint32(8, true)}; this page reads version ${VERSION}`);
  }
  const length = bytes.length < PREAMBLE ? PREAMBLE : PREAMBLE + view.getUint32(12, true);
  if (bytes.length !== length) throw new WeightsError('size', `${bytes.length} bytes, expected ${length}`);
  const content = bytes.subarray(PREAMBLE);
  if (subtle) {
    const found = new Uint8Array(await subtle.digest('SHA-256', content));
    if (found.some((byte, i) => byte !== bytes[16 + i])) throw new WeightsError('hash', 'its SHA-256 differs');
  }
  try {
    return { ...read(content), hashed: Boolean(subtle) };
  } catch (error) { // only without the hash does a damaged file get so far
    throw new WeightsError('hash', String(error));
  }
}

function read(content) {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let at = 4 + view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content.subarray(4, at)));
  const V = header.tokens.length, H = header.num_hiddens;
  if (at + 2 * (V * H + H * H + H + H * V + V) !== content.length) throw new RangeError('the sizes do not fit');
  const take = (size) => Float64Array.from({ length: size }, () => float16(view.getUint16((at += 2) - 2, true)));
  const [W_xh, W_hh, b_h, W_hq, b_q] = [V * H, H * H, H, H * V, V].map(take);
  return { ...header, index: new Map(header.tokens.map((token, i) => [token, i])), W_xh, W_hh, b_h, W_hq, b_q };
}

export async function load(url) {
  let response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new WeightsError('missing', String(error));
  }
  if (!response.ok) throw new WeightsError('missing', `${response.status} ${response.statusText}`);
  return parse(new Uint8Array(await response.arrayBuffer()));
}

export function encode(model, text) { // as predict_ch8: '' is read as a space, unknown characters as <unk>
  const characters = Array.from(text || ' ');
  const unknown = new Set(characters.filter((character) => !model.index.has(character)));
  return { indices: characters.map((character) => model.index.get(character) ?? 0), unknown: [...unknown].sort() };
}

export const beginState = (model) => new Float64Array(model.num_hiddens);

function product(row, matrix, columns) { // (rows,) times (rows, columns)
  const result = new Float64Array(columns);
  let i = 0;
  for (; i + 3 < row.length; i += 4) { // four rows at a time take half as long
    const [a, b, c, d] = row.subarray(i, i + 4);
    for (let j = 0, k = i * columns; j < columns; j++, k++) {
      result[j] += a * matrix[k] + b * matrix[k + columns] + c * matrix[k + 2 * columns] + d * matrix[k + 3 * columns];
    }
  }
  for (; i < row.length; i++) for (let j = 0; j < columns; j++) result[j] += row[i] * matrix[i * columns + j];
  return result;
}

// One time step from the state H, which is left as it is: H' = tanh(X W_xh + H W_hh + b_h), logits = H' W_hq + b_q.
export function step(model, H, index) {
  const { W_xh, W_hh, b_h, W_hq, b_q, num_hiddens: n } = model, V = model.tokens.length;
  const fromInput = W_xh.slice(index * n, (index + 1) * n); // a one-hot product takes a row
  const fromState = product(H, W_hh, n);
  const sum = fromInput.map((x, j) => x + fromState[j] + b_h[j]);
  const next = sum.map(Math.tanh);
  const logits = product(next, W_hq, V).map((x, j) => x + b_q[j]);
  return { fromInput, fromState, sum, H: next, logits };
}

// Probabilities of the topK highest logits, all others 0; temperature 0 leaves only the highest.
export function softmax(logits, temperature = 1, topK = logits.length) {
  if (!(temperature >= 0)) throw new RangeError(`the temperature must be at least 0, got ${temperature}`);
  if (!(Number.isInteger(topK) && topK >= 1 && topK <= logits.length)) {
    throw new RangeError(`top-k must be from 1 to ${logits.length}, got ${topK}`);
  }
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b); // of equals the first
  const p = new Float64Array(logits.length), highest = logits[order[0]];
  if (temperature === 0) {
    p[order[0]] = 1;
    return p;
  }
  for (const i of order.slice(0, topK)) p[i] = Math.exp((logits[i] - highest) / temperature);
  const total = p.reduce((a, b) => a + b);
  return p.map((x) => x / total);
}

// What the next token is drawn from: all but <unk> (index 0), which stands for what the vocabulary lacks.
export function chances(logits, temperature = 1, topK = logits.length - 1) {
  return Float64Array.of(0, ...softmax(logits.subarray(1), temperature, topK));
}

export function random(seed) { // mulberry32: numbers in [0, 1), the same for the same seed
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let x = Math.imul(state ^ state >>> 15, state | 1);
    x ^= x + Math.imul(x ^ x >>> 7, x | 61);
    return ((x ^ x >>> 14) >>> 0) / 2 ** 32;
  };
}

export function sample(p, u) { // the index in whose share of [0, 1) u falls
  let last = 0;
  for (let i = 0; i < p.length; i++) {
    if (p[i] === 0) continue;
    last = i;
    u -= p[i];
    if (u < 0) break;
  }
  return last;
}
