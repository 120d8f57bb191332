/** Content-Security-Policy of responses without scripts: nothing loads, runs, or is framed. */

/** For data, whatever its bytes look like. */
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/** For pages of operators: the list of profiles has an inline style. */
export const operatorPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
