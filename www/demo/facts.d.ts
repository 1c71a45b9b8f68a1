// What is known when the page is built: the models of this project, and the versions of what the page is made of.
export interface ModelFact {
  /** Name of its folder beside the demo's. */
  name: string;
  title: string;
  licence: string;
  architecture: string;
  /** Weights and tokenizer together. */
  bytes: number;
  dtype: string;
}

export interface Facts {
  version: string;
  models: readonly ModelFact[];
  /** Name, version and licence of each library that is shipped with the page. */
  libraries: readonly { name: string; version: string; licence: string }[];
  /** What makes the page work offline besides what the service worker keeps anyway, relative to the page. */
  extras: readonly string[];
}

declare const facts: Facts;
export default facts;
