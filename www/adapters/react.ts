// A hook for React: a reranker that lives as long as the component that asks for it. Safe under StrictMode, which mounts twice.
import { Reranker, RerankError } from "foliorank";
import { useCallback, useEffect, useRef, useState } from "react";
import type { LoadOptions, RerankDocument, RerankOptions, RerankResponse } from "../src/types.js";

export interface UseReranker {
  /** `failed` stays until other options are given, or the component is mounted anew. */
  status: "loading" | "ready" | "failed";
  /** Why loading failed: a RerankError. */
  error: unknown;
  /** Once it is ready. It is not the component's to dispose. */
  reranker: Reranker | undefined;
  /**
   * As `Reranker.rerank`. May be called before the model is ready, and waits for it then. Ends the call before, which rejects with
   * `aborted`, as every call does when the component goes. Always the same function.
   */
  rerank<D extends RerankDocument>(query: string, documents: readonly D[], options?: RerankOptions): Promise<RerankResponse<D>>;
}

/**
 * Loads a reranker in the browser, after the first render: `const { status, rerank } = useReranker({ model: "/models/m/" })`. Loads
 * anew when an option changes, functions aside; disposes of it when the component goes. Nothing is loaded on a server.
 */
export function useReranker(options: Omit<LoadOptions, "signal">): UseReranker {
  const { model, device, cache, wasmUrl, worker, threads } = options;
  const [{ reranker, error }, setState] = useState<{ reranker?: Reranker; error?: unknown }>({});
  const loading = useRef<Promise<Reranker>>(undefined);
  const running = useRef<AbortController>(undefined);

  useEffect(() => {
    const ended = new AbortController();
    const loaded = Reranker.load({ ...options, signal: ended.signal });
    loading.current = loaded;
    loaded.then((ready) => { if (!ended.signal.aborted) setState({ reranker: ready }); }, (failure: unknown) => { if (!ended.signal.aborted) setState({ error: failure }); });
    return () => {
      ended.abort();
      running.current?.abort();
      loading.current = undefined;
      loaded.then((ready) => ready.dispose(), () => undefined);
      setState({});
    };
    // Options are a new object in every render: what counts is what is in them.
  }, [String(model), device, cache, String(wasmUrl), worker, threads]);

  const rerank = useCallback<UseReranker["rerank"]>(async (query, documents, asked = {}) => {
    running.current?.abort();
    const own = running.current = new AbortController();
    const ready = await loading.current;
    if (!ready) throw new RerankError("invalid_argument", "rerank was called while its component was not mounted");
    return ready.rerank(query, documents, { ...asked, signal: asked.signal ? AbortSignal.any([own.signal, asked.signal]) : own.signal });
  }, []);
  return { status: error !== undefined ? "failed" : reranker ? "ready" : "loading", error, reranker, rerank };
}
