/** Checks Dockerfile, docker-compose.yml and the files that they name against the code. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { everywhere } from '../../src/config/bind-address.ts';
import { parseConfig } from '../../src/config/load.ts';
import { variables } from '../../src/config/variables.ts';
import { endpoints } from '../../src/contract/endpoints.ts';
import {
  type Instruction,
  isIgnored,
  listContext,
  parseCommand,
  parseDockerfile,
  parseIgnore,
} from '../support/dockerfile.ts';
import { root } from '../support/house.ts';

interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly profiles?: readonly string[];
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly pids_limit?: number;
  readonly mem_limit?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks: readonly string[];
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Dashboard {
  readonly templating: {
    readonly list: readonly { name: string; type: string; query: unknown }[];
  };
}

const compose = yamlOf<ComposeFile>('docker-compose.yml');
const services = Object.entries(compose.services);
const own = services.filter(([, { build }]) => build !== undefined);
const api = serviceOf('api');
const ignore = parseIgnore(textOf('.dockerignore'));
const stages = parseDockerfile(textOf('Dockerfile'));
const image = stages.at(-1)!;

test('every stage is built on the Node of .nvmrc, with a C library that uWebSockets.js loads with', () => {
  const version = textOf('.nvmrc').trim();
  // Debian's releases with glibc 2.38 or newer.
  const base = new RegExp(`^node:${version}-(trixie|forky)-slim$`);
  for (const stage of stages) assert.match(stage.base, base);
});

test('files that are copied into a build are there and let in, and no others', () => {
  const sources = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword, flags }) => keyword === 'COPY' && !flags.has('from'))
    .flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
  assert.ok(sources.includes('src') && sources.includes('sql'));
  for (const source of sources) {
    assert.ok(existsSync(join(root, source)), `there is no ${source}`);
    assert.ok(!isIgnored(ignore, source), `.dockerignore keeps ${source} out`);
  }
  const strays = listContext(ignore).filter(
    (file) => !sources.some((source) => file === source || file.startsWith(`${source}/`)),
  );
  assert.deepEqual(strays, []);
  for (const secret of ['.env', '.git/config', '.data/pg/data', 'node_modules/x', 'src.key']) {
    assert.ok(isIgnored(ignore, secret), `.dockerignore lets ${secret} in`);
  }
});

test('the image runs as an ordinary user, named by number', () => {
  const users = valuesOf('USER');
  assert.equal(users.length, 1);
  assert.match(users[0]!, /^[1-9]\d*:[1-9]\d*$/);
  assert.ok(image.instructions.findIndex(({ keyword }) => keyword === 'USER') > lastCopy());

  function lastCopy(): number {
    return image.instructions.findLastIndex(({ keyword }) => /COPY|RUN/.test(keyword));
  }
});

test('the image is for production, and names the default ports', () => {
  assert.deepEqual(valuesOf('ENV'), ['ENV=production']);
  assert.deepEqual(valuesOf('EXPOSE'), [`${defaultOf('PORT')} ${defaultOf('METRICS_PORT')}`]);
});

test('the image and the containers start what there is', () => {
  const commands = [
    parseCommand(valuesOf('CMD')[0]!),
    ...own.flatMap(([, { command }]) => (command === undefined ? [] : [command])),
  ];
  assert.equal(commands.length, 2);
  for (const [program, script] of commands) {
    assert.equal(program, 'node');
    const source = script!.replace(/^dist\//, '').replace(/\.js$/, '.ts');
    assert.ok(existsSync(join(root, source)), `there is no ${source}`);
    assert.ok(
      image.instructions.some(({ keyword, text }) => {
        return keyword === 'COPY' && script!.startsWith(`${text.split(' ').at(-1)}/`);
      }),
      `${script} is not copied`,
    );
  }
});

test("systemd's unit is for production, so that it is reached from outside", () => {
  const unit = /```ini\n(# \/etc\/systemd[\s\S]*?)```/.exec(textOf('docs/deploying.md'))?.[1];
  assert.match(unit!, /^Environment=ENV=production$/m);
});

test('the image asks an endpoint whether it is healthy, at the port that is set', () => {
  const [, , program] = parseCommand(valuesOf('HEALTHCHECK')[0]!.replace(/^CMD /, ''));
  const path = /'(\/\w+)'/.exec(program!)?.[1];
  const endpoint = endpoints.find((one) => one.method === 'GET' && one.path === path);
  assert.equal(endpoint?.action, 'ready');
  assert.ok(program!.includes(`process.env.PORT || ${defaultOf('PORT')}`));
});

test('every variable that a container of ours is given is one that it reads', () => {
  for (const [name, { environment = {} }] of own) {
    for (const variable of Object.keys(environment)) {
      assert.ok(variable in variables.properties, `${name} is given ${variable}`);
    }
  }
});

test('the service is given what is valid in production, with the least that has to be set', () => {
  const given = interpolate(api, { DB_PASSWORD: 'x', ...credentials });
  const result = parseConfig(given, 'service');
  assert.ok(result.ok, JSON.stringify(result));
  const { config } = result;
  assert.equal(config.env, 'production');
  assert.equal(config.hostBasePath, defaultOf('HOST_BASE_PATH'));
  // Published ports, scrapes and probes come from outside the container.
  assert.deepEqual(config.bind.addresses, everywhere);
  assert.equal(config.autoMigrate, false, 'the migrator does that');
  assert.deepEqual(
    [config.database?.host, config.database?.port, config.redis?.place],
    ['db', 5432, { form: 'server', server: { host: 'redis', port: 6379 } }],
  );
  const { POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD } = interpolate(serviceOf('db'), {
    DB_PASSWORD: 'x',
  });
  assert.deepEqual(
    [config.database?.user, config.database?.name, config.database?.password],
    [POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD],
  );
});

test('a container of ours has longer to stop than the service takes', () => {
  const result = parseConfig({ ENV: 'production', DB_HOST: 'db' });
  assert.ok(result.ok);
  const { shutdownDelayMs, shutdownGraceMs } = result.config;
  const seconds = Number(/^(\d+)s$/.exec(api.stop_grace_period ?? '')?.[1]);
  assert.ok(seconds * 1000 > shutdownDelayMs + shutdownGraceMs);
});

test('the service starts on a migrated database', () => {
  assert.equal(api.depends_on?.['migrate']?.condition, 'service_completed_successfully');
  assert.equal(serviceOf('migrate').depends_on?.['db']?.condition, 'service_healthy');
  assert.equal(serviceOf('migrate').image, api.image);
  assert.equal(serviceOf('migrate').command?.at(-1), 'migrate-up');
  for (const [name, { depends_on = {} }] of services) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const { healthcheck, build } = serviceOf(other);
      const isChecked = healthcheck?.test !== undefined || (build !== undefined && !healthcheck);
      assert.ok(condition !== 'service_healthy' || isChecked, `${name} waits for ${other}`);
    }
  }
});

test('only what is asked from outside is published, to this machine alone', () => {
  const published = Object.fromEntries(
    services.flatMap(([name, { ports }]) => (ports === undefined ? [] : [[name, ports]])),
  );
  assert.deepEqual(published, {
    api: [`127.0.0.1:${defaultOf('PORT')}:${defaultOf('PORT')}`],
    db_test: ['127.0.0.1:5433:5432'],
    grafana: ['127.0.0.1:3000:3000'],
  });
  assert.equal(compose.networks['inside']?.internal, true);
  for (const name of ['db', 'redis', 'prometheus', 'migrate']) {
    assert.deepEqual(serviceOf(name).networks, ['inside']);
  }
});

test('no container may do more than it has to', () => {
  for (const [name, service] of services) {
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.ok(service.mem_limit !== undefined && service.pids_limit !== undefined, name);
    const isChecked = service.healthcheck !== undefined || service.build !== undefined;
    assert.ok(isChecked, `${name} has no health check`);
    if (service.build === undefined) assert.match(service.image, /:v?\d+(\.\d+)+(-\w+)?$/, name);
  }
  for (const [name, { init, read_only }] of own) {
    assert.deepEqual({ init, read_only }, { init: true, read_only: true }, name);
  }
  // Compose cannot put secrets from variables into a read-only container.
  for (const [name, { secrets, read_only }] of services) {
    assert.ok(secrets === undefined || read_only !== true, name);
  }
});

test('mounted files are there', () => {
  for (const [name, { volumes = [] }] of services) {
    for (const volume of volumes) {
      const [source, , mode] = volume.split(':');
      if (source!.startsWith('.')) {
        assert.ok(existsSync(join(root, source!)), `${name}: there is no ${source}`);
        assert.equal(mode, 'ro', `${name} could write to ${source}`);
      } else {
        assert.ok(source! in compose.volumes, `${name}: ${source} is not declared`);
      }
    }
  }
});

test('Prometheus scrapes the port of the metrics with the credentials of the service', () => {
  const { scrape_configs, rule_files } = yamlOf<{
    readonly rule_files: readonly string[];
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly metrics_path: string;
      readonly basic_auth: { readonly username_file: string; readonly password_file: string };
      readonly static_configs: readonly { readonly targets: readonly string[] }[];
    }[];
  }>('deploy/prometheus/prometheus.yml');
  const [scrape] = scrape_configs;
  assert.equal(scrape!.metrics_path, defaultOf('METRICS_PATH'));
  assert.deepEqual(scrape!.static_configs, [{ targets: [`api:${defaultOf('METRICS_PORT')}`] }]);
  const { secrets, volumes } = serviceOf('prometheus');
  for (const [file, variable] of [
    [scrape!.basic_auth.username_file, 'METRICS_USERNAME'],
    [scrape!.basic_auth.password_file, 'METRICS_PASSWORD'],
  ] as const) {
    const name = file.replace('/run/secrets/', '');
    assert.ok(secrets?.includes(name), `Prometheus has no secret ${name}`);
    assert.equal(compose.secrets[name]?.environment, variable);
    assert.ok(api.environment?.[variable]?.startsWith(`\${${variable}:?`));
  }
  assert.ok(rule_files.length > 0);
  for (const rules of rule_files) {
    assert.ok(volumes?.some((volume) => volume.includes(`:/etc/prometheus/${rules}:`)));
  }
});

test('Grafana finds Prometheus, and the dashboards find the data source', () => {
  const { datasources } = yamlOf<{
    readonly datasources: readonly { uid: string; type: string; url: string; isDefault: boolean }[];
  }>('deploy/grafana/provisioning/datasources/prometheus.yml');
  const [source] = datasources;
  assert.equal(source!.url, 'http://prometheus:9090');
  const { providers } = yamlOf<{ readonly providers: readonly { options: { path: string } }[] }>(
    'deploy/grafana/provisioning/dashboards/tasks.yml',
  );
  const { volumes } = serviceOf('grafana');
  assert.ok(volumes?.includes(`./deploy/grafana/dashboards:${providers[0]!.options.path}:ro`));

  const text = textOf('deploy/grafana/dashboards/tasks.json');
  const used = new Set(
    [...text.matchAll(/"datasource": \{\s*"type": "(\w+)",\s*"uid": "([^"]+)"/g)].map(
      ([, type, uid]) => `${type} ${uid}`,
    ),
  );
  const choice = (JSON.parse(text) as Dashboard).templating.list.find(
    ({ type }) => type === 'datasource',
  );
  for (const one of used) {
    if (one === `${source!.type} ${source!.uid}`) continue;
    // The data source of a panel is the dashboard's variable.
    assert.equal(one, `${choice?.query} \${${choice?.name}}`);
    assert.deepEqual([choice?.query, source!.isDefault], [source!.type, true]);
  }
  assert.ok(used.size > 0);
});

test('variables that have to be set have no default, and say so', () => {
  const needed = new Set(
    [...textOf('docker-compose.yml').matchAll(/\$\{(\w+):\?([^}]*)\}/g)].map(([, name, text]) => {
      assert.match(text!, /^set it /);
      return name!;
    }),
  );
  assert.deepEqual([...needed].sort(), [
    'DB_PASSWORD',
    'GRAFANA_PASSWORD',
    'METRICS_PASSWORD',
    'METRICS_USERNAME',
  ]);
  const guide = textOf('docs/deploying.md');
  for (const name of needed) assert.ok(guide.includes(`${name}=`), `${name} is not explained`);
});

const credentials = { METRICS_USERNAME: 'x'.repeat(12), METRICS_PASSWORD: 'x'.repeat(12) };

/** As Compose does: `${NAME:-default}` and `${NAME:?message}`. */
function interpolate(
  { environment = {} }: ComposeService,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{(\w+)(:-|:\?)([^}]*)\}/g, (_, variable, operator, rest) => {
        const found = given[variable];
        if (found === undefined && operator === ':?') assert.fail(`${variable} is not set`);
        return found ?? rest;
      }),
    ]),
  );
}

function serviceOf(name: string): ComposeService {
  return compose.services[name] ?? assert.fail(`there is no service ${name}`);
}

function defaultOf(name: keyof typeof variables.properties): unknown {
  return (variables.properties[name] as { default?: unknown }).default;
}

function valuesOf(keyword: Instruction['keyword']): string[] {
  return image.instructions.filter((one) => one.keyword === keyword).map(({ text }) => text);
}

function yamlOf<Content>(file: string): Content {
  return parse(textOf(file), { merge: true }) as Content;
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
