// Embeddings cut into those of single texts, and joined again: for pieces that workers answered, and for what an index stores.
import { RerankError } from "./errors.js";
import type { Embedding } from "./strategy-types.js";

/** What an embedder made of one text. A vector by itself where it has one, as older indexes store it. */
export type TextVector = Float32Array | Embedding;

export type VectorKind = "dense" | "late" | "sparse";

const embeddingOf = (vector: TextVector): Embedding => (vector instanceof Float32Array ? { vectors: vector, dimensions: vector.length } : vector);

export const kindOf = ({ lengths, ids }: Embedding): VectorKind => (ids ? "sparse" : lengths ? "late" : "dense");

/** Text after text. Throws `invalid_argument` when it is not that of `count` texts. */
export function split({ vectors, dimensions, lengths, ids }: Embedding, count: number): TextVector[] {
  const width = ids ? 1 : dimensions;
  const rows = lengths ?? new Uint32Array(count).fill(1);
  const total = rows.reduce((sum, length) => sum + length, 0);
  if (!(vectors instanceof Float32Array) || rows.length !== count || vectors.length !== total * width || (ids && ids.length !== total)) {
    throw new RerankError("invalid_argument", `embedder: expected ${count} vectors of ${dimensions} numbers as a Float32Array`);
  }
  let from = 0;
  return Array.from(rows, (length) => {
    const [start, end] = [from, from += length];
    const own = vectors.slice(start * width, end * width);
    return lengths ? { vectors: own, dimensions, lengths: Uint32Array.of(length), ...(ids ? { ids: ids.slice(start, end) } : {}) } : own;
  });
}

function joined<A extends Float32Array | Uint32Array>(all: A, parts: readonly A[]): A {
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}

const lengthOf = (parts: readonly { length: number }[]): number => parts.reduce((sum, { length }) => sum + length, 0);
const integers = (parts: readonly Uint32Array[]): Uint32Array => joined(new Uint32Array(lengthOf(parts)), parts);

/** That of all texts. They are of one kind. */
export function join(texts: readonly TextVector[]): Embedding {
  const each = texts.map(embeddingOf);
  const { dimensions = 0, lengths, ids } = each[0] ?? {};
  const numbers = each.map(({ vectors }) => vectors);
  return {
    vectors: joined(new Float32Array(lengthOf(numbers)), numbers), dimensions,
    ...(lengths ? { lengths: integers(each.flatMap((one) => one.lengths ?? [])) } : {}),
    ...(ids ? { ids: integers(each.flatMap((one) => one.ids ?? [])) } : {}),
  };
}
