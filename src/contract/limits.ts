/** Every limit that a client can meet. The last word of a name is its unit. */

/** PostgreSQL's bigint is larger, but a JSON number is exact only up to 2^53-1. */
export const idMax = Number.MAX_SAFE_INTEGER;

export const titleLengthMaxCodePoints = 255;
export const descriptionLengthMaxCodePoints = 16_384;

export const bodyMaxBytes = 128 * 1024;
/**
 * The most bytes read of a chunked body that is too large, so that its client gets the response.
 */
export const bodyDiscardedMaxBytes = 1024 * 1024;
/** The most bytes of all bodies that a front end holds, from the head to the response. */
export const bodiesHeldMaxBytes = 64 * 1024 * 1024;
/**
 * The most bytes of a head, from the method to the empty line. The uWebSockets.js of 2023 has its
 * own limits.
 */
export const headMaxBytes = 16 * 1024;
/** Excludes the value of `cursor`, which has its own limit. */
export const urlMaxBytes = 2048;
export const jsonDepthMax = 20;

export const pageMax = 2 ** 31 - 1;
export const perPageDefault = 20;
export const perPageMax = 100;

export const idempotencyKeyLengthMax = 64;
/** The lifetime of an Idempotency-Key. */
export const idempotencyKeyHours = 24;

/** The Retry-After of a 503, and of a 409 while a request with the same key is in flight. */
export const retryAfterSeconds = 1;

export const filterMaxBytes = 512;
export const filterTermsMax = 8;

/** The bytes of a cursor before its sort key: contract/cursor.ts. */
export const cursorHeadBytes = 13;
/**
 * The longest sort key is a title of four-byte code points. Base64 has four characters for three
 * bytes.
 */
export const cursorMaxCharacters = Math.ceil(
  ((cursorHeadBytes + 4 * titleLengthMaxCodePoints) * 4) / 3,
);

/**
 * Lists without a maintained count are counted up to this number. A longer list has `"total_exact":
 * false`.
 */
export const countMax = 5000;
/** The limit if each task must be read to count it: texts, or several fields. */
export const lookedAtCountMax = 1000;
/** The most tasks that are read to count a frequent match. */
export const lookedAtMax = 25_000;
/** The same for the tasks of one assignee or status, which are scattered over the table. */
export const lookedAtApartMax = 10_000;
/** From this offset on, the counts of the blocks locate a page. */
export const deepOffsetMin = 2000;
