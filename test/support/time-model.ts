/** A second implementation of RFC 3339 times, exact to the last digit. */
const shape =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|([+-])(\d\d):(\d\d))$/;
/** More than any test uses. */
const digitsMax = 60;
export const unitsPerMs = 10n ** BigInt(digitsMax - 3);

/** In units of 10^-60 s since the year 0; `undefined`: not a time. */
export function timeByModel(text: string): bigint | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as number[];
  const [fraction = '', , sign, offsetHour = '0', offsetMinute = '0'] = match.slice(7);
  const isDay = month! >= 1 && month! <= 12 && day! >= 1 && day! <= daysOf(year!, month!);
  const isTime = hour! <= 23 && minute! <= 59 && second! <= 60;
  if (!isDay || !isTime || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -1 : 1);
  const minutes = (daysBefore(year!, month!, day!) * 24 + hour!) * 60 + minute! - offset;
  if (second === 60 && !isFirstOfMonth(minutes + 1)) return undefined;
  const whole = BigInt(minutes) * 60n + BigInt(second!);
  return whole * unitsPerMs * 1000n + BigInt(fraction.padEnd(digitsMax, '0'));
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysOf(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days since the first day of the year 0. */
function daysBefore(year: number, month: number, day: number): number {
  let days = day - 1;
  for (let one = 1; one < month; one++) days += daysOf(year, one);
  for (let one = 0; one < year; one++) days += isLeap(one) ? 366 : 365;
  return days;
}

/** A month starts at that minute. */
function isFirstOfMonth(minutes: number): boolean {
  if (minutes % (24 * 60) !== 0) return false;
  let days = minutes / (24 * 60);
  for (let year = 0; ; year++) {
    for (let month = 1; month <= 12; month++) {
      if (days <= 0) return days === 0;
      days -= daysOf(year, month);
    }
  }
}
