// Cuts a call into pieces for several workers: documents, and of a long document parts of its windows. Longest first, so that a piece
// holds documents of similar length (little padding) and the short ones even out the end.
import type { NativeShare } from "./wasm.js";

export interface Piece {
  /** Input index of each document. */
  indices: number[];
  documents: string[];
  /** Of its one document only these windows. */
  share?: NativeShare;
  cost: number;
  /** How often a worker died over it. */
  deaths: number;
}

/** A document, or a part of its windows. */
interface Item {
  index: number;
  share?: NativeShare;
  cost: number;
}

// Costs are in characters: tokens are known only to WASM. What counts is their proportion.
/** Special tokens, and the fixed work for a document. */
const EACH = 20;
/** Characters of a token, for maxTokensPerDocument; generous, because too long a guess only makes a piece smaller. */
const TOKEN = 6;
/** Below this (about 250 tokens) a worker spends its time on messages and half-empty batches. */
const SMALLEST = 1000;
/** A document from here on (about 1,500 tokens) has windows enough to share: any model cuts it into several. */
const LONG = 6 * SMALLEST;
/** Pieces a worker takes at least, about: the first are large, the last are small and make all end together. */
const TURNS = 2;

export interface Cutting {
  maxTokensPerDocument?: number | undefined;
  /** Whether a document's windows can be shared. */
  shares?: boolean;
}

function itemsOf(query: string, documents: readonly string[], { maxTokensPerDocument }: Cutting): Item[] {
  const most = maxTokensPerDocument === undefined ? Infinity : maxTokensPerDocument * TOKEN;
  return documents.map((text, index) => ({ index, cost: Math.min(text.length, most) + query.length + EACH }));
}

/** Documents that would keep one worker busy when the others are done, as parts. */
function shared(items: readonly Item[], workers: number): Item[] {
  const target = Math.max(SMALLEST, costOf(items) / (TURNS * workers));
  return items.flatMap((item) => {
    const of = item.cost < LONG ? 1 : Math.ceil(item.cost / target);
    return of === 1 ? [item] : Array.from({ length: of }, (_, nth) => ({ index: item.index, share: { nth, of }, cost: Math.ceil(item.cost / of) }));
  });
}

const costOf = (items: readonly Item[]): number => items.reduce((total, { cost }) => total + cost, 0);

/** The pieces of one call. They are made when they are taken. */
export class Pieces {
  /** Of all documents. */
  readonly cost: number;
  /** Documents and parts of documents. */
  readonly count: number;
  readonly #documents: readonly string[];
  readonly #workers: number;
  /** Not yet taken, dearest last. */
  readonly #rest: Item[];
  readonly #back: Piece[] = [];
  #restCost: number;

  /** For so many workers; 1 makes one piece of everything, in input order. So does a call too small to be worth cutting. */
  constructor(query: string, documents: readonly string[], cutting: Cutting, workers: number) {
    const whole = itemsOf(query, documents, cutting);
    const several = workers > 1 && costOf(whole) >= 2 * SMALLEST;
    this.#documents = documents;
    this.#rest = several && cutting.shares ? shared(whole, workers) : whole;
    this.#workers = several ? Math.min(workers, this.#rest.length) : 1;
    this.cost = costOf(this.#rest);
    this.count = this.#rest.length;
    this.#restCost = this.cost;
    if (this.isCut) this.#rest.sort((a, b) => a.cost - b.cost);
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
    const items: Item[] = [];
    let cost = 0;
    for (let next = this.#rest.at(-1); next; next = this.#rest.at(-1)) {
      // A part goes alone: whoever answers it is asked for nothing else.
      if (items.length > 0 && (next.share || cost + next.cost > target)) break;
      items.push(next);
      cost += next.cost;
      this.#rest.pop();
      if (next.share) break;
    }
    if (items.length === 0) return undefined;
    this.#restCost -= cost;
    return this.#piece(items, cost);
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

  #piece(items: readonly Item[], cost: number): Piece {
    const indices = items.map(({ index }) => index);
    const share = items[0]?.share;
    return { indices, documents: indices.map((index) => this.#documents[index] as string), ...(share ? { share } : {}), cost, deaths: 0 };
  }
}
