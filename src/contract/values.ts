/**
 * Checks of the values that PostgreSQL takes, by type. Every value that becomes a parameter passes
 * one of these, whether it comes from a filter, parameter, cursor, header, path or body. Pure
 * functions that never throw.
 *
 *   text         isText         no U+0000, no lone surrogate
 *   bigint       readNumber     0 to 2^53-1, canonical decimal
 *   timestamptz  readTime       UTC, year 1 to 9999, at most six digits of a second
 *   status       isStatus       one of five words
 */
import { idMax } from './limits.ts';

/** `done` is the Go service's word for `completed`, kept for its clients and rows. */
export const statuses = ['pending', 'in_progress', 'completed', 'done', 'canceled'] as const;
export type Status = (typeof statuses)[number];

/** Whether PostgreSQL can store the text unchanged. */
export function isText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

export function isStatus(word: string): word is Status {
  return (statuses as readonly string[]).includes(word);
}

/** A canonical decimal from 0 to 2^53-1. */
export function readNumber(word: string): number | undefined {
  if (!/^(0|[1-9]\d{0,15})$/.test(word)) return undefined;
  const number = Number(word);
  return number <= idMax ? number : undefined;
}

/** Before every time that the tables can hold. In RFC 3339 it has the year 0. */
export const beforeAllTimes = '0000-12-31T23:59:59Z';
/** After every time that the tables can hold, because they have milliseconds. */
export const afterAllTimes = '9999-12-31T23:59:59.999999Z';

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const minuteMs = 60_000;
const firstMs = Date.parse('0001-01-01T00:00:00Z');
const lastMs = Date.parse('9999-12-31T23:59:59Z');

/**
 * Reads a time of RFC 3339, section 5.6, into its canonical form: UTC, without trailing zeros in
 * the fraction. Compared with the time of a column, the result is equal to the input:
 *
 * - Columns have milliseconds. Digits after the sixth count as a value between two of them.
 * - A time outside the years 1 to 9999 in UTC becomes {@link beforeAllTimes} or
 *   {@link afterAllTimes}.
 * - A leap second counts as the following second, as in PostgreSQL and POSIX. It is valid only
 * where
 *   one can occur: 23:59:60 UTC on the last day of a month.
 *
 * @returns `undefined`: not a time.
 */
export function readTime(text: string): string | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as SixNumbers;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, Math.min(second, 59));
  const [fraction = '', sign, offsetHours, offsetMinutes] = match.slice(7);
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * minuteMs;
  let ms = date.getTime() + (sign === '+' ? -offset : offset);
  if (second === 60) {
    if (!endsMonth(ms)) return undefined;
    ms += 1000;
  }
  if (ms < firstMs) return beforeAllTimes;
  if (ms > lastMs) return afterAllTimes;
  return `${new Date(ms).toISOString().slice(0, 19)}${shortFraction(fraction)}Z`;
}

type SixNumbers = [number, number, number, number, number, number];

/** For PostgreSQL, which has no year 0. @param time from {@link readTime}. */
export function timestampOf(time: string): string {
  return time === beforeAllTimes ? '-infinity' : time;
}

/** Whether the time is in the last second of a month. */
function endsMonth(ms: number): boolean {
  const next = new Date(ms + 1000);
  return next.getUTCDate() === 1 && next.getTime() % (24 * 60 * minuteMs) === 0;
}

/** After the sixth digit it only matters whether any digit is not zero. */
function shortFraction(digits: string): string {
  const kept = digits.slice(0, 6);
  const isMore = /[1-9]/.test(digits.slice(6));
  const seen = isMore && !/[1-9]/.test(kept.slice(3)) ? `${kept.slice(0, 3)}001` : kept;
  const significant = seen.replace(/0+$/, '');
  return significant === '' ? '' : `.${significant}`;
}
