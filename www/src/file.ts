// Files as callers have them: what a picker or a download gives, or the bytes themselves.

export const isFile = (value: unknown): value is Blob | Uint8Array => value instanceof Blob || value instanceof Uint8Array;

/** All of it. A Uint8Array stays the caller's: what is sent to a worker is copied. */
export const bytesOf = async (file: Blob | Uint8Array): Promise<Uint8Array> => (file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer()));
