// Every word the page says, in one place. index.html names them in data-text, data-label and data-placeholder.
// Functions are for sentences with numbers in them.
const number = new Intl.NumberFormat("en");
const plural = (count: number, one: string, many: string): string => `${number.format(count)} ${count === 1 ? one : many}`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`);

export const strings = {
  tagline: "Ask a document. The pages that answer come first.",
  privacy: "Everything is computed in this tab. Your documents are not sent anywhere.",
  skip: "Skip to the results",

  documentHeading: "Document",
  drop: "Drop PDF, Markdown, HTML or text files here",
  choose: "Choose files",
  paste: "Paste text",
  pasteLabel: "Text to rank",
  pastePlaceholder: "Paste or type text here. Blank lines separate paragraphs.",
  pasteAdd: "Use this text",
  pastedName: (count: number) => (count === 1 ? "Pasted text" : `Pasted text ${count}`),
  removeFile: (name: string) => `Remove ${name}`,
  sampleName: "Ellerwick, annual report",
  sampleTag: "sample",
  sampleBack: "Use the sample document",
  dropHere: "Drop to rank its pages",

  queryLabel: "What are you looking for?",
  queryPlaceholder: "For example: who paid for the new bridge?",
  rerank: "Rerank",
  cancel: "Cancel",
  tryThese: "Try:",
  sampleQueries: [
    "How much did the new footbridge cost and who paid for it?",
    "Why is the pool closed in winter?",
    "What can I do with an old sofa?",
    "Are there enough places for small children?",
  ],

  deviceHeading: "Compute on",
  deviceAuto: "Auto",
  deviceWebgpu: "WebGPU",
  deviceCpu: "CPU",
  badgeNone: "Model not loaded yet",
  badgeKind: { webgpu: "WebGPU", cpu: "CPU" },
  modelNote: "The model is downloaded at the first click and then kept in this browser.",
  defaultModelNote: "The model (about 34 MB) is downloaded at the first click and then kept in this browser.",
  modelInfo: (model: string, licence: string, threads: number) =>
    `Model ${model}, ${licence}${threads > 1 ? `, ${threads} workers` : ""}`,

  pagesHeading: "Pages",
  resultsHeading: "Ranked",
  inOrder: (count: number) => `${plural(count, "page or section", "pages and sections")}, in document order`,
  noPages: "Nothing to rank yet. Add a file or some text.",
  noQuery: "Type a question first.",
  rank: "Rank",
  score: "Score",
  page: (n: number) => `Page ${n}`,
  part: (n: number) => `Part ${n}`,
  partOf: (heading: string, n: number, of: number) => (of === 1 ? heading : `${heading} (${n}/${of})`),
  showMore: (count: number) => `Show ${plural(count, "more", "more")}`,

  readerHeading: "Page",
  readerEmpty: "Choose a page from the list to read it here.",
  showing: (label: string) => `Showing ${label}`,
  previous: "Previous page",
  next: "Next page",
  close: "Back",

  reading: (name: string) => `Reading ${name}`,
  starting: "Starting",
  downloading: (file: string, loaded: number, total: number) => `Downloading ${file}: ${megabytes(loaded)} of ${megabytes(total)}`,
  fromCache: (file: string) => `${file} was already in this browser`,
  initialising: "Starting the model",
  warmingUp: (device: "webgpu" | "cpu") => `Measuring ${device === "webgpu" ? "WebGPU" : "the CPU"}`,
  ready: "Model ready",
  scoring: (batch: number, batches: number) => `Scoring: batch ${number.format(batch)} of ${number.format(batches)}`,
  tokenising: "Cutting the pages into tokens",
  scoringStart: "Scoring",
  restarted: "Started again on the CPU",
  cancelled: "Cancelled.",
  done: (count: number, best: string) => `Done. ${plural(count, "page", "pages")} ranked; the best is ${best}.`,
  doneNothing: "Done. There was nothing to rank.",
  facts: (pages: number, tokens: number, batches: number, padding: number, ms: number, device: "webgpu" | "cpu") =>
    `${plural(pages, "page", "pages")} in ${seconds(ms)} on ${device === "webgpu" ? "WebGPU" : "the CPU"}: ${plural(tokens, "token", "tokens")} `
    + `in ${plural(batches, "batch", "batches")}, ${Math.round(padding * 100)}% padding`,
  loadFacts: (ms: number) => `model started in ${seconds(ms)}`,

  failed: (message: string) => `That did not work: ${message}`,
  fileEmpty: "there is no text in it",
  fileScanned: "its pages are pictures without text",
  fileLocked: "it is locked with a password",
  fileBroken: "it is not a readable PDF",
  fileBinary: "it is not text",
  fileType: "only PDF, Markdown, HTML and text files can be read",
  fileUnreadable: "the browser could not read it",
  fileSkipped: (name: string, why: string) => `${name} was skipped: ${why}.`,
  somePagesEmpty: (name: string, count: number) => `${name}: ${plural(count, "page has", "pages have")} no text and cannot be ranked.`,
} as const;
