/** The text of `.env.example`, from the one schema that the service reads its variables by. */
import { variables } from '../../src/config.ts';

interface Described {
  readonly description: string;
  readonly default?: unknown;
  readonly byMachine?: boolean;
}

const head = `# Copy to .env and change what should differ. The environment wins over this file; an empty
# variable counts as unset. Written by make env-example from src/config.ts.
`;

export function envExample(): string {
  const entries = Object.entries(variables.properties).map(([name, schema]) => {
    const described = schema as unknown as Described;
    const shown = described.byMachine === true ? '' : String(described.default ?? '');
    return `# ${described.description}${shown === '' ? '' : ` Default: ${shown}.`}\n${name}=${shown}\n`;
  });
  return [head, ...entries].join('\n');
}
