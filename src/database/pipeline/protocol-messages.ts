/**
 * The messages that the client sends in the extended query protocol (PostgreSQL manual, "Message
 * Formats"). Parameters and rows are text: PostgreSQL infers the types from the statement.
 */

const parseType = 0x50; // P
const bindType = 0x42; // B
const closeType = 0x43; // C
const ofStatement = 0x53; // S
const headBytes = 5;

/** Execute the unnamed portal, without a row limit. */
const execute = Buffer.from('E\0\0\0\x09\0\0\0\0\0', 'latin1');
/** Sync ends a transaction: all statements since the last Sync take effect, or none. */
const sync = Buffer.from('S\0\0\0\x04', 'latin1');
const executeAndSync = Buffer.concat([execute, sync]);
export const terminate = Buffer.from('X\0\0\0\x04', 'latin1');

/** @param name empty: the statement lasts until the next unnamed one. */
export function parseMessage(name: string, text: string): Buffer {
  const nameBytes = Buffer.byteLength(name) + 1;
  const textBytes = Buffer.byteLength(text) + 1;
  const message = Buffer.alloc(headBytes + nameBytes + textBytes + 2);
  message[0] = parseType;
  message.writeInt32BE(message.length - 1, 1);
  message.write(name, headBytes);
  message.write(text, headBytes + nameBytes);
  // No parameter types: the server infers them.
  return message;
}

/** Closes a prepared statement. The server reports no error if there is none of that name. */
export function closeMessage(name: string): Buffer {
  const message = Buffer.alloc(headBytes + 1 + Buffer.byteLength(name) + 1);
  message[0] = closeType;
  message.writeInt32BE(message.length - 1, 1);
  message[headBytes] = ofStatement;
  message.write(name, headBytes + 1);
  return message;
}

/**
 * Binds and executes a parsed statement.
 * @param isLast appends Sync, which ends the transaction.
 */
export function bindAndExecute(
  name: string,
  parameters: readonly string[],
  isLast: boolean,
): Buffer {
  const end = isLast ? executeAndSync : execute;
  // A UTF-16 unit has at most three bytes in UTF-8. The exact length would need a second pass.
  let bytesMax = headBytes + 1 + name.length + 1 + 2 + 2 + 2 + end.length;
  for (const parameter of parameters) bytesMax += 4 + 3 * parameter.length;
  const message = Buffer.allocUnsafe(bytesMax);
  message[0] = bindType;
  message[headBytes] = 0;
  let at = headBytes + 1;
  at += message.write(name, at, 'latin1');
  message[at++] = 0;
  // No parameter formats: all are text.
  at = message.writeInt16BE(0, at);
  at = message.writeInt16BE(parameters.length, at);
  for (const parameter of parameters) {
    const bytes = message.write(parameter, at + 4, 'utf8');
    message.writeInt32BE(bytes, at);
    at += 4 + bytes;
  }
  // No result formats: all are text.
  at = message.writeInt16BE(0, at);
  message.writeInt32BE(at - 1, 1);
  at += end.copy(message, at);
  return message.subarray(0, at);
}

// Types of messages that the server sends.
export const dataRow = 0x44; // D
export const errorResponse = 0x45; // E
export const parseComplete = 0x31; // 1
export const bindComplete = 0x32; // 2
export const commandComplete = 0x43; // C
export const readyForQuery = 0x5a; // Z
export const parameterStatus = 0x53; // S
