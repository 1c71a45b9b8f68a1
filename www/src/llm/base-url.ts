// The address of a language model's API, checked before anything is sent there.
import { RerankError } from "../errors.js";

/** Whether a key may travel there: encrypted, or within this machine. Throws `invalid_argument` for what is no address of an API. */
export function mayCarryKey(baseUrl: string): boolean {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    throw new RerankError("invalid_argument", "baseUrl: expected an absolute URL");
  }
  if (!["http:", "https:"].includes(url.protocol)) throw new RerankError("invalid_argument", `baseUrl: expected http: or https:, found ${url.protocol}`);
  // A message with the URL would show the password.
  if (url.username || url.password || url.search) throw new RerankError("invalid_argument", "baseUrl: expected a URL without credentials; a key goes into apiKey");
  return url.protocol === "https:" || url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname);
}
