// Cuts a call's documents into pieces for several workers. Documents are never cut: a long one is answered by one worker.
// Longest first, so that a piece holds documents of similar length (little padding) and the short ones even out the end.
import type { NativeOptions } from "./wasm.js";

export interface Piece {
  /** Input index of each document. */
  indices: number[];
  documents: string[];
  cost: number;
  /** How often a worker died over it. */
  deaths: number;
}

// Costs are in characters: tokens are known only to WASM. What counts is their proportion.
/** Special tokens, and the fixed work for a document. */
const EACH = 20;
/** Characters of a token, for maxTokensPerDocument; generous, because too long a guess only makes a piece smaller. */
const TOKEN = 6;
/** Below this (about 250 tokens) a worker spends its time on messages and half-empty batches. */
const SMALLEST = 1000;
/** Pieces a worker takes at least, about: the first are large, the last are small and make all end together. */
const TURNS = 2;

function costs(query: string, documents: readonly string[], { maxTokensPerDocument }: NativeOptions): number[] {
  const most = maxTokensPerDocument === undefined ? Infinity : maxTokensPerDocument * TOKEN;
  return documents.map((text) => Math.min(text.length, most) + query.length + EACH);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The pieces of one call. They are made when they are taken. */
export class Pieces {
  /** Of all documents. */
  readonly cost: number;
  readonly #documents: readonly string[];
  readonly #costs: readonly number[];
  readonly #workers: number;
  /** Indices not yet taken, dearest last. */
  readonly #rest: number[];
  readonly #back: Piece[] = [];
  #restCost: number;

  /** For so many workers; 1 makes one piece of everything, in input order. So does a call too small to be worth cutting. */
  constructor(query: string, documents: readonly string[], options: NativeOptions, workers: number) {
    this.#documents = documents;
    this.#costs = costs(query, documents, options);
    this.cost = sum(this.#costs);
    this.#restCost = this.cost;
    this.#workers = this.cost < 2 * SMALLEST ? 1 : Math.min(workers, documents.length);
    this.#rest = [...documents.keys()];
    if (this.isCut) this.#rest.sort((a, b) => this.#costOf(a) - this.#costOf(b));
  }

  /** Whether several workers can help. */
  get isCut(): boolean {
    return this.#workers > 1;
  }

  /** The next piece, undefined when all are taken. Every call has one, also without documents. */
  take(): Piece | undefined {
    const back = this.#back.pop();
    if (back) return back;
    if (!this.isCut) return this.#takeAll();
    const target = Math.max(SMALLEST, this.#restCost / (TURNS * this.#workers));
    const indices: number[] = [];
    let cost = 0;
    for (let next = this.#rest.at(-1); next !== undefined; next = this.#rest.at(-1)) {
      if (indices.length > 0 && cost + this.#costOf(next) > target) break;
      cost += this.#costOf(next);
      indices.push(next);
      this.#rest.pop();
    }
    if (indices.length === 0) return undefined;
    this.#restCost -= cost;
    return this.#piece(indices, cost);
  }

  /** Taken again before any other. */
  giveBack(piece: Piece): void {
    this.#back.push(piece);
  }

  #allTaken = false;
  #takeAll(): Piece | undefined {
    if (this.#allTaken) return undefined;
    this.#allTaken = true;
    return this.#piece(this.#rest, this.cost);
  }

  #costOf(index: number): number {
    return this.#costs[index] as number;
  }

  #piece(indices: number[], cost: number): Piece {
    return { indices, documents: indices.map((index) => this.#documents[index] as string), cost, deaths: 0 };
  }
}
