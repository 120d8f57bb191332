/** The text of `.env.example`, from the table of variables. */
import { annotationsOf } from '../../src/config/forms.ts';
import { variables } from '../../src/config/variables.ts';

const head = `# Copy to .env and change what should differ. The environment wins over this file; an empty
# variable counts as unset. A secret may stand in a file instead, which <NAME>_FILE names:
# DB_PASSWORD_FILE and so on for each PASSWORD and URL. Written by make env-example from src/config/variables.ts.
`;

export function envExample(): string {
  const entries = Object.entries(variables.properties).map(([name, schema]) => {
    const described = annotationsOf(schema);
    const fallback = described.byMachine === true ? '' : String(described.default ?? '');
    // Explicit defaults would contradict a URL with other values.
    const shown = described.inUrl === true ? '' : fallback;
    return `# ${described.description}${fallback === '' ? '' : ` Default: ${fallback}.`}\n${name}=${shown}\n`;
  });
  return [head, ...entries].join('\n');
}
