/** Content-Security-Policy of what is no page with scripts: nothing loads, nothing runs, no page frames it. */

/** Of data, whatever its bytes look like. */
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Of pages for operators: the list of profiles has a style inside. */
export const operatorPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
