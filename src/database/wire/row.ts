/** A row as it lies in a DataRow message (PostgreSQL manual, "Message Formats"). */
import { lengthAt } from './reader.ts';

/** Column values as PostgreSQL's text. */
export type Values = readonly (string | null)[];

/** Makes something of a row. @param at where the number of its columns stands. */
export type RowReader<Row> = (bytes: Buffer, at: number) => Row;

const lengthBytes = 4;

export function readValues(bytes: Buffer, at: number): Values {
  const values = new Array<string | null>((bytes[at]! << 8) | bytes[at + 1]!);
  let place = at + 2;
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
