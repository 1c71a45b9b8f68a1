// A hook for React: a reranker that lives as long as the component that asks for it. Safe under StrictMode, which mounts twice.
import { Reranker, RerankError } from "foliorank";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
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

/** Before anything is painted and before effects of children, which may already call `rerank`. A server has no layout, and React says so. */
const useEarlyEffect = typeof document === "undefined" ? useEffect : useLayoutEffect;

/** What a component has loaded, or loads. */
interface Held {
  key: string;
  loaded: Promise<Reranker>;
  ended: AbortController;
  isMounted: boolean;
}

/**
 * Loads a reranker in the browser, after the first render: `const { status, rerank } = useReranker({ model: "/models/m/" })`. Loads
 * anew when an option changes, functions aside; disposes of it when the component goes. Nothing is loaded on a server.
 */
export function useReranker(options: Omit<LoadOptions, "signal">): UseReranker {
  const [{ reranker, error }, setState] = useState<{ reranker?: Reranker; error?: unknown }>({});
  const held = useRef<Held>(undefined);
  const running = useRef<AbortController>(undefined);
  // Options are a new object in every render: what counts is what is in them.
  const key = JSON.stringify([options.model, options.device, options.cache, options.wasmUrl, options.worker, options.threads]);

  useEarlyEffect(() => {
    const end = ({ ended, loaded }: Held): void => {
      ended.abort();
      running.current?.abort();
      loaded.then((ready) => ready.dispose(), () => undefined);
      held.current = undefined;
      setState({});
    };
    if (held.current && held.current.key !== key) end(held.current);
    if (!held.current) {
      const ended = new AbortController();
      const loaded = Reranker.load({ ...options, signal: ended.signal });
      held.current = { key, loaded, ended, isMounted: true };
      loaded.then((ready) => { if (!ended.signal.aborted) setState({ reranker: ready }); }, (failure: unknown) => { if (!ended.signal.aborted) setState({ error: failure }); });
    }
    const own = held.current;
    own.isMounted = true;
    return () => {
      own.isMounted = false;
      // StrictMode mounts it again at once.
      queueMicrotask(() => { if (!own.isMounted && held.current === own) end(own); });
    };
  }, [key]);

  const rerank = useCallback<UseReranker["rerank"]>(async (query, documents, asked = {}) => {
    running.current?.abort();
    const own = running.current = new AbortController();
    const ready = await held.current?.loaded;
    if (!ready) throw new RerankError("invalid_argument", "rerank was called while its component was not mounted");
    return ready.rerank(query, documents, { ...asked, signal: asked.signal ? AbortSignal.any([own.signal, asked.signal]) : own.signal });
  }, []);
  return { status: error !== undefined ? "failed" : reranker ? "ready" : "loading", error, reranker, rerank };
}
