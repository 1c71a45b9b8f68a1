// Where the package's own files are, as absolute URLs.

export const pageUrl = (): string | undefined =>
  typeof document === "undefined" ? (globalThis as { location?: { href: string } }).location?.href : document.baseURI;

/** The folder of the WASM variants, ending in a slash. Default: `wasm/` beside this script. */
export function wasmFolder(value: string | URL | undefined): string {
  const url = new URL(value ?? "./wasm/", value === undefined ? import.meta.url : pageUrl());
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
}
