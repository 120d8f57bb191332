/**
 * What a client wants (RFC 9110, section 12.5.1). Types in lower case; whitespace, case and the order
 * of parameters do not matter; a range that is not one is passed over.
 */

interface Range {
  /** `*`: any. */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** From 0, not at all, to 1. */
  readonly weight: number;
}

/** How well something fits: by the weight of the range that fits it best, then by how precise that is. */
interface Fit {
  readonly weight: number;
  readonly precision: number;
}

const unwanted: Fit = { weight: 0, precision: -1 };

/**
 * @param accept the header; empty: there is none, and everything is welcome.
 * @param offered media types, perhaps with parameters; the first one is the default, for clients who
 *   like others no more, and for those who want none of them: there is no 406.
 */
export function chooseMediaType<const Offered extends string>(
  accept: string,
  offered: readonly [Offered, ...Offered[]],
): Offered {
  const ranges = parseAccept(accept);
  let chosen = offered[0];
  let best = unwanted;
  for (const candidate of offered) {
    const fit = fitOf(candidate, ranges);
    if (fit.weight === 0) continue;
    if (fit.weight < best.weight) continue;
    if (fit.weight === best.weight && fit.precision <= best.precision) continue;
    chosen = candidate;
    best = fit;
  }
  return chosen;
}

/** Of several ranges that fit, the most precise one counts: it may also refuse what a wider one takes. */
function fitOf(offered: string, ranges: readonly Range[]): Fit {
  const [name = '', ...rest] = split(offered, ';');
  const [type, subtype] = name.split('/');
  const parameters = parametersOf(rest);
  let best = unwanted;
  for (const range of ranges) {
    if (range.type !== '*' && range.type !== type) continue;
    if (range.subtype !== '*' && range.subtype !== subtype) continue;
    if (![...range.parameters].every(([key, value]) => parameters.get(key) === value)) continue;
    const precision =
      range.parameters.size + (range.type === '*' ? 0 : 1) + (range.subtype === '*' ? 0 : 1);
    if (precision > best.precision) best = { weight: range.weight, precision };
  }
  return best;
}

function parseAccept(accept: string): Range[] {
  return split(accept, ',').flatMap((text) => {
    const [name = '', ...rest] = split(text, ';');
    // Java's HttpURLConnection writes the second as the first.
    const [type, subtype, more] = (name === '*' ? '*/*' : name).split('/');
    if (!type || !subtype || more !== undefined || (type === '*' && subtype !== '*')) return [];
    const place = rest.findIndex((parameter) => /^q\s*=/.test(parameter));
    const weight = place < 0 ? 1 : weightOf(rest[place]!);
    if (weight === undefined) return [];
    // What stands behind the weight is no part of the type.
    const parameters = parametersOf(place < 0 ? rest : rest.slice(0, place));
    return [{ type, subtype, parameters, weight }];
  });
}

/** `undefined`: it is none. */
function weightOf(parameter: string): number | undefined {
  const text = parameter.slice(parameter.indexOf('=') + 1).trim();
  const weight = Number(text);
  return /^(\d+\.?\d*|\.\d+)$/.test(text) && weight <= 1 ? weight : undefined;
}

function parametersOf(texts: readonly string[]): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 0) continue;
    parameters.set(text.slice(0, equals).trim(), unquote(text.slice(equals + 1).trim()));
  }
  return parameters;
}

/** Without what is empty; a separator in a quoted string is none (RFC 9110, section 5.6.4). */
function split(text: string, separator: ',' | ';'): string[] {
  const pieces: string[] = [];
  let begin = 0;
  let isQuoted = false;
  for (let place = 0; place <= text.length; place++) {
    const character = text[place];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === '\\' && isQuoted) place++;
    else if ((character === separator && !isQuoted) || character === undefined) {
      const piece = text.slice(begin, place).trim();
      if (piece !== '') pieces.push(piece.toLowerCase());
      begin = place + 1;
    }
  }
  return pieces;
}

function unquote(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
}
