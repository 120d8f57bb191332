/**
 * Recognises schemas of replaced migration files. Before the first release, files 001 to 007 were
 * replaced by 010 to 060, which make the same schema. An operator tells such a database once
 * (docs/deploying.md). The old numbers are never reused, so the recorded version identifies the
 * files.
 */

/** The last replaced file. */
const lastReplaced = 7;
/** The file whose schema equals that of the replaced ones. */
const successor = 60;

/** @param isOurs tables of this service exist: the Go service numbers its migrations likewise. */
export function isOfReplacedFiles(version: number, isOurs: boolean): boolean {
  return isOurs && version <= lastReplaced;
}

/** @returns a message with the statement to run. */
export function replacedMessage(version: number): string {
  const statement = `UPDATE schema_migrations SET version = ${successor} WHERE version = ${lastReplaced}`;
  const made =
    'the schema was made by the migration files 001 to 007, which 010 to 060 have replaced';
  return version === lastReplaced
    ? `${made}. Both make the same schema, so it needs only the new number: run ${statement}`
    : `${made}, and is at version ${version} of them: bring it to ${lastReplaced} with a checkout that ` +
        `has them (docs/deploying.md, "Replaced migration files"), then run ${statement}`;
}
