/** A request id from the client; it appears in the response, the log and errors. */
export const requestIdPattern = '[A-Za-z0-9._-]{1,64}';
