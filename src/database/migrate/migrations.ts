/** Reads the migration files: `NNN_name.up.sql` and `NNN_name.down.sql`. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Migration {
  readonly version: number;
  /** Example: `010_tasks`. */
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

/** Relative to dist/src/database/migrate, where this file runs. */
const defaultDirectory = new URL('../../../../sql/migrations/', import.meta.url);

/** A file runs inside the step's transaction: a COMMIT in it would leave half a migration. */
const transactionCommand =
  /^\s*(BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK)(\s+(WORK|TRANSACTION))?\s*;/im;

/** @returns migrations in ascending order. @throws for a missing half or a duplicate version. */
export function readMigrations(directory: URL = defaultDirectory): readonly Migration[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.sql'));
  const names = new Set(files.map((file) => file.replace(/\.(up|down)\.sql$/, '')));
  const migrations = [...names].map((name) => {
    const version = /^(\d{1,15})_/.exec(name)?.[1];
    if (version === undefined) throw new Error(`${name}: expected a name like 010_tasks.up.sql`);
    const read = (half: string): string => {
      const file = `${name}.${half}.sql`;
      if (!files.includes(file)) throw new Error(`the migration file ${file} is missing`);
      const text = readFileSync(new URL(file, directory), 'utf8');
      const command = transactionCommand.exec(text)?.[0].trim();
      if (command === undefined) return text;
      throw new Error(`${file}: ${command} must not be there, the file runs in a transaction`);
    };
    return { version: Number(version), name, up: read('up'), down: read('down') };
  });
  migrations.sort((a, b) => a.version - b.version);
  for (const [place, { version, name }] of migrations.entries()) {
    const before = migrations[place - 1];
    if (before?.version === version) {
      throw new Error(`${before.name} and ${name} have the same version`);
    }
  }
  return migrations;
}
