// Takes a key out of what a server says, should it repeat it: out of whole texts, and out of texts that are still coming.

export interface Hider {
  hide: (text: string) => string;
  /** Of a text that may go on: without an end that may be the key's beginning. */
  begun: (text: string) => string;
}

export function hider(key: string | undefined): Hider {
  const hide = (text: string): string => (key ? text.replaceAll(key, "***") : text);
  const begun = (text: string): string => {
    const hidden = hide(text);
    for (let length = Math.min((key?.length ?? 0) - 1, hidden.length); length > 0; length -= 1) {
      if (key?.startsWith(hidden.slice(-length))) return hidden.slice(0, -length);
    }
    return hidden;
  };
  return { hide, begun };
}
