// All that a Vite app has to write: the worker and the WASM are found by the package, the model lies in public/models.
import { Reranker } from "foliorank";

const reranker = await Reranker.load({ model: "/models/tiny-cross-encoder/" });
const { results } = await reranker.rerank("good bridge", [
  "Berlin is well known for its museums.",
  "The old stone bridge over the river was made in a long winter.",
]);
document.querySelector("output").textContent = JSON.stringify({ results, info: reranker.info });
