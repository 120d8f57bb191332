/** Writes `.env.example`: `make env-example`. */
import { writeFileSync } from 'node:fs';
import { envExample } from '../dist/test/support/env-example.js';

writeFileSync('.env.example', envExample());
