/**
 * Content negotiation (RFC 9110, section 12.5.1). Types are lower case. Whitespace, case and the
 * order of parameters do not matter; an invalid range is ignored.
 */

interface Range {
  /** `*`: any type. */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** The q value, from 0 (not acceptable) to 1. */
  readonly weight: number;
}

/** How well a type fits: the q value of its most specific range, then how specific that is. */
interface Fit {
  readonly weight: number;
  readonly precision: number;
}

const unwanted: Fit = { weight: 0, precision: -1 };

/**
 * @param accept the header; empty: absent, so everything is acceptable.
 * @param offered media types, perhaps with parameters. The first is the default, for a tie and when
 * the client accepts none: there is no 406.
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

/**
 * Of several matching ranges the most specific one counts; it may exclude what a wider one accepts.
 */
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
    // Java's HttpURLConnection sends `*` for `*/*`.
    const [type, subtype, more] = (name === '*' ? '*/*' : name).split('/');
    if (!type || !subtype || more !== undefined || (type === '*' && subtype !== '*')) return [];
    const place = rest.findIndex((parameter) => /^q\s*=/.test(parameter));
    const weight = place < 0 ? 1 : weightOf(rest[place]!);
    if (weight === undefined) return [];
    // Parameters after the q value are not part of the type.
    const parameters = parametersOf(place < 0 ? rest : rest.slice(0, place));
    return [{ type, subtype, parameters, weight }];
  });
}

/** @returns `undefined`: the parameter is not a q value. */
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

/** Omits empty elements. Ignores separators inside a quoted string (RFC 9110, section 5.6.4). */
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
