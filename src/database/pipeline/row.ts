/** Decodes the rows of DataRow messages (PostgreSQL manual, "Message Formats"). */
import { lengthAt } from './reader.ts';

/** Column values in PostgreSQL's text form. */
export type Values = readonly (string | null)[];

/** Decodes a row. @param at the offset of the number of columns. */
export type RowReader<Row> = (bytes: Buffer, at: number) => Row;

const countBytes = 2;
const lengthBytes = 4;

export function readValues(bytes: Buffer, at: number): Values {
  const values = new Array<string | null>(columnCount(bytes, at));
  let place = at + countBytes;
  for (let column = 0; column < values.length; column++) {
    const length = lengthAt(bytes, place);
    place += lengthBytes;
    if (length < 0) {
      values[column] = null;
    } else {
      values[column] = bytes.toString('utf8', place, place + length);
      place += length;
    }
  }
  return values;
}

/**
 * One character for each byte (latin1): UTF-8 that is not decoded, for texts that are sent on as
 * bytes. The row is decoded once and the values are slices of it.
 */
export function readByteTexts(bytes: Buffer, at: number): Values {
  const values = new Array<string | null>(columnCount(bytes, at));
  const begin = at + countBytes;
  let end = begin;
  for (let column = 0; column < values.length; column++) {
    end += lengthBytes + Math.max(0, lengthAt(bytes, end));
  }
  const row = bytes.toString('latin1', begin, end);
  let place = begin;
  for (let column = 0; column < values.length; column++) {
    const length = lengthAt(bytes, place);
    place += lengthBytes;
    values[column] = length < 0 ? null : row.slice(place - begin, place - begin + length);
    place += Math.max(0, length);
  }
  return values;
}

/**
 * For a statement that always returns one row.
 * @throws for another number of rows or columns, or a NULL: a bug, or a faulty server.
 */
export function oneRow(rows: readonly Values[], columns: number): readonly string[] {
  const [row] = rows;
  if (rows.length !== 1 || row?.length !== columns) {
    throw new Error(`impossible rows: ${rows.length} of ${row?.length ?? 0} columns`);
  }
  return row.map((value) => {
    if (value === null) throw new Error('impossible rows: a NULL');
    return value;
  });
}

/** @throws when the text is not an integer of at most 19 digits. */
export function countOf(text: string): number {
  if (!/^-?\d{1,19}$/.test(text)) throw new Error('impossible rows: no number');
  return Number(text);
}

function columnCount(bytes: Buffer, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
