/** Writes `.env.example` and docs/configuration.md: `make env-example`. */
import { writeFileSync } from 'node:fs';
import { configurationPage } from '../dist/test/support/configuration-page.js';
import { envExample } from '../dist/test/support/env-example.js';

writeFileSync('.env.example', envExample());
writeFileSync('docs/configuration.md', configurationPage());
