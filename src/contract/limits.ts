/** Every bound that a client can meet. Units are the last word of each name. */

/** PostgreSQL's bigint goes further, but a JSON number is exact only up to here. */
export const idMax = Number.MAX_SAFE_INTEGER;

export const titleLengthMaxCodePoints = 255;
export const descriptionLengthMaxCodePoints = 16_384;

export const bodyMaxBytes = 128 * 1024;
/** Of a body in chunks that is too large, so much is read, that its client sees the answer. */
export const bodyDiscardedMaxBytes = 1024 * 1024;
/** Of all bodies that a front end holds at once, from their announcement to their answer. */
export const bodiesHeldMaxBytes = 64 * 1024 * 1024;
/** Of a request's head, from its method to its empty line. The uWebSockets.js of 2023 has bounds of its own. */
export const headMaxBytes = 16 * 1024;
/** Without the value of `cursor`, which has a bound of its own. */
export const urlMaxBytes = 2048;
export const jsonDepthMax = 20;

export const pageMax = 2 ** 31 - 1;
export const perPageDefault = 20;
export const perPageMax = 100;

export const idempotencyKeyLengthMax = 64;
/** How long a key is remembered. */
export const idempotencyKeyHours = 24;

/** What a client is told to wait after a 503, or while a request with its key is under way. */
export const retryAfterSeconds = 1;

export const filterMaxBytes = 512;
export const filterTermsMax = 8;

/** Of a cursor before its sort key: contract/cursor.ts. */
export const cursorHeadBytes = 13;
/** The longest sort key is a title of code points of four bytes; base64 has four characters for three. */
export const cursorMaxCharacters = Math.ceil(
  ((cursorHeadBytes + 4 * titleLengthMaxCodePoints) * 4) / 3,
);

/**
 * A list that neither the triggers nor an index counts is counted up to here; a longer one says
 * `"total_exact": false`.
 */
export const countMax = 5000;
/** The same where each task must be looked at: texts, or several fields. */
export const lookedAtCountMax = 1000;
/** And where many match, no more tasks than this are looked at to count them. */
export const lookedAtMax = 25_000;
/** The same among the tasks of one person or one status, which lie far apart. */
export const lookedAtApartMax = 10_000;
/** From this offset on, a page is found by the counts of the blocks before it. */
export const deepOffsetMin = 2000;
