/**
 * Masks secrets in log lines: the known secrets in all their encodings, and anything like the
 * credentials in a URL. This is the second line of defence: no secret should reach the log.
 */

const masked = '***';
/** A shorter secret may be part of a common word; masking that would reveal the secret. */
const secretLengthMin = 6;
/** The part of a secret in base64 without the characters that it shares with its neighbours. */
const base64LengthMin = 6;

/** A URL has no white space and ends at a quotation mark. Linear time. */
const word = /[^\s"]+/g;
/** Passwords in libpq connection strings and in URL parameters. */
const assignment = /\b(password|passwd|pwd)(\s*=\s*)('[^']*'|[^\s&"';,]+)/gi;

export type Mask = (text: string) => string;

export function createMask(secrets: readonly string[]): Mask {
  const forms = secrets.filter(({ length }) => length >= secretLengthMin).flatMap(formsOf);
  // Longest first, so that a secret that contains another one is masked whole.
  const known = [...new Set(forms.map(foldCase))].sort((a, b) => b.length - a.length);

  return function mask(text) {
    const rest = hide(text, known);
    const withoutUserinfo = rest.includes('@') ? rest.replace(word, maskUserinfo) : rest;
    return withoutUserinfo.includes('=')
      ? withoutUserinfo.replace(assignment, `$1$2${masked}`)
      : withoutUserinfo;
  };
}

/** Masks every string in a value, and the names of fields. */
export function maskValue(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((item) => maskValue(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [mask(name), maskValue(item, mask)]),
  );
}

/**
 * Masks `scheme://user:password@` and `scheme://token@`, also with one slash (a URL normalised as a
 * path). It keeps a package name in a path: `file:///a/@scope/name.js:1:2`.
 */
function maskUserinfo(text: string): string {
  const colon = text.indexOf(':/');
  const end = text.lastIndexOf('@');
  if (colon === -1 || end < colon) return text;
  let begin = colon + 1;
  while (text[begin] === '/') begin++;
  const userinfo = text.slice(begin, end);
  if (userinfo === '' || (userinfo.includes('/') && !userinfo.includes(':'))) return text;
  return `${text.slice(0, begin)}${masked}${text.slice(end)}`;
}

function formsOf(secret: string): string[] {
  const quoted = JSON.stringify(secret).slice(1, -1);
  const encoded = encodeURIComponent(secret.toWellFormed());
  return [secret, quoted, encoded, ...base64FormsOf(Buffer.from(secret))];
}

/**
 * In Basic authentication a name precedes the secret, so it may start at any of three positions.
 */
function base64FormsOf(secret: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), secret]);
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor((whole.length * 8) / 6);
    const text = whole.toString('base64').slice(first, end);
    if (text.length < base64LengthMin) return [];
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/**
 * Without a regular expression: one for a long secret is too large, and its error message contains
 * the secret.
 * @param forms in folded case.
 */
function hide(text: string, forms: readonly string[]): string {
  let rest = text;
  let folded = foldCase(rest);
  for (const form of forms) {
    let at = folded.indexOf(form);
    if (at === -1) continue;
    let hidden = '';
    let from = 0;
    for (; at !== -1; at = folded.indexOf(form, from)) {
      hidden += rest.slice(from, at) + masked;
      from = at + form.length;
    }
    rest = hidden + rest.slice(from);
    folded = foldCase(rest);
  }
  return rest;
}

/** Host names and percent-encoding may change their case. Keeps the length of the text. */
function foldCase(text: string): string {
  return text.replace(/[A-Z]+|[^\p{ASCII}]/gu, foldRun);
}

/** Non-ASCII letters one by one: the lower case of some depends on their neighbours. */
function foldRun(letters: string): string {
  const folded = letters.toLowerCase();
  return folded.length === letters.length ? folded : letters;
}
