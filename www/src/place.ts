// Where the package's own files are, as absolute URLs.
import type { Variant } from "./types.js";

export const pageUrl = (): string | undefined =>
  typeof document === "undefined" ? (globalThis as { location?: { href: string } }).location?.href : document.baseURI;

/** The two files of a WASM variant. */
export interface WasmUrls {
  /** What wasm-bindgen made: an ES module without imports. */
  script: string;
  module: string;
}

export type WasmPlaces = Record<Variant | "logic" | "images", WasmUrls>;

/** A file of the package, whatever a bundler made of `new URL(…, import.meta.url)`: of Turbopack's, only the path is sure. */
export const absolute = ({ href }: URL): URL => new URL(href, (globalThis as { location?: { href: string } }).location?.href);

const pair = (script: URL, module: URL): WasmUrls => ({ script: absolute(script).href, module: absolute(module).href });

function inFolder(value: string | URL): WasmPlaces {
  const folder = new URL(value, pageUrl());
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  const files = (variant: string): WasmUrls => pair(new URL(`${variant}/foliorank.js`, folder), new URL(`${variant}/foliorank_bg.wasm`, folder));
  return { cpu: files("cpu"), "cpu-relaxed": files("cpu-relaxed"), gpu: files("gpu"), logic: files("logic"), images: files("images") };
}

/**
 * The files of all variants: in the caller's folder, by default in `wasm/` beside this script. Those are written out one by one:
 * bundlers look for exactly that, copy the files as they are, and put their addresses here.
 */
export function wasmPlaces(value: string | URL | undefined): WasmPlaces {
  if (value !== undefined) return inFolder(value);
  return {
    cpu: pair(new URL("./wasm/cpu/foliorank.js", import.meta.url), new URL("./wasm/cpu/foliorank_bg.wasm", import.meta.url)),
    "cpu-relaxed": pair(new URL("./wasm/cpu-relaxed/foliorank.js", import.meta.url), new URL("./wasm/cpu-relaxed/foliorank_bg.wasm", import.meta.url)),
    gpu: pair(new URL("./wasm/gpu/foliorank.js", import.meta.url), new URL("./wasm/gpu/foliorank_bg.wasm", import.meta.url)),
    logic: pair(new URL("./wasm/logic/foliorank.js", import.meta.url), new URL("./wasm/logic/foliorank_bg.wasm", import.meta.url)),
    images: pair(new URL("./wasm/images/foliorank.js", import.meta.url), new URL("./wasm/images/foliorank_bg.wasm", import.meta.url)),
  };
}
