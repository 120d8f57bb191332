/** An id that a client may give its request: it is taken over into the answer, the log and errors. */
export const requestIdPattern = '[A-Za-z0-9._-]{1,64}';
