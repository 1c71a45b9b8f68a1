"use client";
// All that a Next.js app has to write: the worker and the WASM are found by the package, the model lies in public/models.
import { useReranker } from "foliorank/adapters/react";
import { useEffect, useState } from "react";

const documents = ["Berlin is well known for its museums.", "The old stone bridge over the river was made in a long winter."];

export default function Page() {
  const { reranker, rerank, error } = useReranker({ model: "/models/tiny-cross-encoder/" });
  const [results, setResults] = useState();
  useEffect(() => {
    if (reranker) void rerank("good bridge", documents).then((answer) => setResults(answer.results), () => undefined);
  }, [reranker, rerank]);
  if (error) throw error;
  return <output>{results && JSON.stringify({ results, info: reranker.info })}</output>;
}
