/** What a client does about each problem. What it means says its message (contract/problems.ts). */
import type { ProblemCode } from '../contract/problems.ts';

export const remedies: Readonly<Record<ProblemCode, string>> = {
  malformed_json: 'Send one JSON object in UTF-8, without a byte order mark.',
  missing_field: 'Add the field that `errors` names.',
  invalid: 'Change what `errors` names: each fault says what the field must be.',
  too_long: 'Shorten the field that `errors` names.',
  unknown_field: 'Leave the field out: it may be misspelt.',
  unknown_parameter:
    'Leave the parameter out: it may be misspelt. Names that begin with `_` are free.',
  unauthorized: 'Send the credentials that the operator has set.',
  not_found: 'Look at the path and the id. The task may have been deleted.',
  method_not_allowed: 'Use a method that the header `Allow` names.',
  conflict: 'Wait as long as `Retry-After` says, and send the same request again.',
  length_required: 'Send `Content-Length`, or the body in chunks.',
  precondition_failed: 'Read the task, decide again, and send its new `ETag`.',
  payload_too_large: 'Send a shorter body.',
  uri_too_long: 'Shorten the query.',
  unsupported_media_type: 'Send `Content-Type: application/json`, without a content coding.',
  idempotency_key_reused: 'Use a new key for a new request.',
  rejected:
    'Ask the administrator of the database: one of its constraints, triggers or policies rejects the row.',
  internal: 'Tell the operator the request id: the log has the cause.',
  not_implemented: 'Send no transfer coding but `chunked`.',
  overloaded: 'Wait as long as `Retry-After` says, and send it again. Nothing was done.',
  unavailable: 'Wait as long as `Retry-After` says, and send it again. Nothing was done.',
  outcome_unknown:
    'Read the task before sending it again. A create with an `Idempotency-Key` may be sent again at once.',
};
