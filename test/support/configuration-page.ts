/** The text of docs/configuration.md, from the table of variables. */
import { annotationsOf } from '../../src/config/forms.ts';
import { variableSections, variables } from '../../src/config/variables.ts';
import type { TSchema } from '../../src/typebox.ts';

const head = `# Configuration

For operators: every variable that the service reads, with its default and meaning. Set variables in the
environment, or in a file \`.env\` in the working directory. The environment wins over the file, and an empty
variable counts as unset. [.env.example](../.env.example) is a file to begin with.

- **Faults** are reported together at the start, each with the name of its variable and what was expected. Then
  the start ends. No message contains a secret.
- **Secrets** may stand in a file: \`<NAME>_FILE\` names it, for each variable that ends in \`PASSWORD\` or \`URL\`
  ([details](deploying.md#secrets)).
- **Misspelled names**: the service warns about variables that look like its own and are not.

\`make env-example\` writes this page from src/config/variables.ts.
`;

/** Where a page says more than the table can. */
const links: Readonly<Record<string, string>> = {
  HOST_BASE_PATH: '[below a path](deploying.md#below-a-path)',
  PPROF_ENABLED: '[who may ask](profiling.md#who-may-ask)',
  CORS_HEADERS: '[from a browser](api.md#from-a-browser)',
  DB_POOLER: '[poolers](deploying.md#poolers)',
  DB_CONNECTIONS: '[connections](deploying.md#connections)',
  DB_AUTO_MIGRATE: '[migrations](deploying.md#migrations)',
  REDIS_HOST: '[Redis](deploying.md#redis)',
};

const names = new Set(Object.keys(variables.properties));

export function configurationPage(): string {
  const sections = Object.entries(variableSections).map(([title, section]) => {
    const rows = Object.entries(section).map(([name, schema]) => rowOf(name, schema));
    return [`## ${title}\n`, '| variable | default | meaning |', '|---|---|---|', ...rows].join(
      '\n',
    );
  });
  return `${[head, ...sections].join('\n')}\n`.replaceAll('|\n## ', '|\n\n## ');
}

function rowOf(name: string, schema: TSchema): string {
  const { default: fallback, byMachine, description } = annotationsOf(schema);
  const isFixed = fallback !== undefined && fallback !== '' && byMachine !== true;
  const link = links[name];
  const meaning = [marked(description ?? ''), ...(link === undefined ? [] : [`See ${link}.`])];
  return `| \`${name}\` | ${isFixed ? `\`${fallback}\` ` : ''}| ${meaning.join(' ')} |`;
}

/** Names of variables, URLs, paths and addresses are no prose. */
function marked(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll(
      /[a-z]+:\/\/[^\s,;]*[^\s,;.]|(?<=\s)(?:[~/][\w./-]*\w\/?|\*|(?:\d+\.){3}\d+|::1?)(?=[\s,;:.])/g,
      '`$&`',
    )
    .replaceAll(/\b[A-Z][A-Z_]+\b/g, (word) => (names.has(word) ? `\`${word}\`` : word));
}
