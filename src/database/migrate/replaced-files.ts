/**
 * Before the first release the migration files 001 to 007 were replaced by 010 to 060, which make the
 * same schema. A database that the former files made has to be told so once: docs/deploying.md.
 *
 * The numbers of the former files are never used again, so the recorded version tells which ones made it.
 */

/** The last one of the former files. */
const lastReplaced = 7;
/** The file at which a schema is the same as theirs. */
const successor = 60;

/** @param isOurs the schema has tables of this service: the Go service numbers its migrations likewise. */
export function isOfReplacedFiles(version: number, isOurs: boolean): boolean {
  return isOurs && version <= lastReplaced;
}

/** @returns what it is, and the statement to run. */
export function replacedMessage(version: number): string {
  const statement = `UPDATE schema_migrations SET version = ${successor} WHERE version = ${lastReplaced}`;
  const made =
    'the schema was made by the migration files 001 to 007, which 010 to 060 have replaced';
  return version === lastReplaced
    ? `${made}. Both make the same schema, so it needs only the new number: run ${statement}`
    : `${made}, and is at version ${version} of them: bring it to ${lastReplaced} with a checkout that ` +
        `has them (docs/deploying.md, "Replaced migration files"), then run ${statement}`;
}
