/** The advisory lock of `migrate/migrate`, so that the two tools never run at once. */
import { crc32 } from 'node:zlib';

const salt = 1486364155n;

/**
 * CRC-32 of schema, table and database, joined by zero bytes, times a salt, modulo 2^32
 * (golang-migrate, `database/util.go`, GenerateAdvisoryLockId).
 */
export function advisoryLockId(names: { database: string; schema: string }): string {
  const key = [names.schema, 'schema_migrations', names.database].join('\0');
  return String((BigInt(crc32(key)) * salt) & 0xffffffffn);
}
