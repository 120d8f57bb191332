/**
 * Takes secrets out of what is logged: the known ones in the forms that they travel in, and whatever
 * looks like the credentials of a URL. The second line of defence: nothing should bring one so far.
 */

const masked = '***';
/** Shorter ones are parts of everyday words, and masking those would tell what the secret is. */
const secretLengthMin = 6;
/** What is left of a secret inside base64 when the characters it shares with others are cut off. */
const base64LengthMin = 6;

/** A URL has no white space, and ends at a quotation mark. Each text is walked through once. */
const word = /[^\s"]+/g;
/** Of connection strings of libpq and of parameters in a URL. */
const assignment = /\b(password|passwd|pwd)(\s*=\s*)('[^']*'|[^\s&"';,]+)/gi;

export type Mask = (text: string) => string;

export function createMask(secrets: readonly string[]): Mask {
  const forms = secrets.filter(({ length }) => length >= secretLengthMin).flatMap(formsOf);
  // The longest first, so that a secret which contains another one is masked as a whole.
  const known = [...new Set(forms.map(foldCase))].sort((a, b) => b.length - a.length);

  return function mask(text) {
    const rest = hide(text, known);
    const withoutUserinfo = rest.includes('@') ? rest.replace(word, maskUserinfo) : rest;
    return withoutUserinfo.includes('=')
      ? withoutUserinfo.replace(assignment, `$1$2${masked}`)
      : withoutUserinfo;
  };
}

/** Every text in a value, names of fields too. */
export function maskValue(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((item) => maskValue(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [mask(name), maskValue(item, mask)]),
  );
}

/**
 * `scheme://user:password@` and `scheme://token@`, also with one slash, as in a path that a URL was
 * taken for; not the name of a package in a path, `file:///a/@scope/name.js:1:2`.
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

/** A header of Basic authentication has a name before it: it may begin at any of three places. */
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
 * No regular expression: one of a long secret is too large, and the error that says so has it inside.
 * @param forms folded.
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

/** Names of hosts and percent-encoding change their case on their way. Keeps the length. */
function foldCase(text: string): string {
  return text.replace(/[A-Z]+|[^\p{ASCII}]/gu, foldRun);
}

/** Letters beyond ASCII come one by one: what becomes of some depends on their neighbours. */
function foldRun(letters: string): string {
  const folded = letters.toLowerCase();
  return folded.length === letters.length ? folded : letters;
}
