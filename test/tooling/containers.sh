#!/bin/sh
# Tests the containers of `make docker-up`, which needs a Docker engine: the content and user of the
# image, migrations, requests, metrics, dashboards and alerts, and an orderly stop. Stops the
# service. Needs curl and the variables of docker-compose.yml; OFFLOAD_MIN_BATCH=0 tests the worker
# threads.
set -eu
cd "$(dirname "$0")/../.."
api=http://127.0.0.1:8080

fail() {
  echo "containers.sh: $*" >&2
  exit 1
}

# Arguments: what is checked, the expected value, the actual value.
holds() {
  [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
  echo "ok: $1"
}

# Checks a substring. Arguments: what is checked, the substring, the text.
has() {
  case $3 in
    *"$2"*) echo "ok: $1" ;;
    *) fail "$1: no '$2' in: $3" ;;
  esac
}

inside() {
  docker compose exec -T api "$@"
}

status_of() {
  curl -s -o /dev/null -w '%{http_code}' "$@"
}

# Repeats the command until it succeeds.
await() {
  tries=60
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "in vain: $*"
    sleep 1
  done
  echo "ok: $*"
}

is_scraped() {
  docker compose exec -T prometheus wget -qO- 'http://127.0.0.1:9090/api/v1/query?query=up' | grep -qF '"1"]'
}

has_dashboard() {
  curl -sSf -u "admin:$GRAFANA_PASSWORD" http://127.0.0.1:3000/api/dashboards/uid/tasks | grep -q '"title":"Tasks"'
}

container=$(docker compose ps --quiet api)

holds 'the image has what it runs, and nothing else' 'LICENSE dist node_modules package.json sql' \
  "$(inside sh -c 'LC_ALL=C; export LC_ALL; echo *')"
holds 'no test and no program for development is built into it' 'documents src workers' \
  "$(inside sh -c 'cd dist && echo *')"
holds 'one native binary, of the current build' 1 \
  "$(inside sh -c 'find node_modules -name "*.node" | grep -c "^node_modules/uWebSockets.js/"')"
holds 'the service is an ordinary user' 1000:1000 "$(inside sh -c 'echo $(id -u):$(id -g)')"
holds 'its health check follows it' healthy "$(docker inspect --format '{{.State.Health.Status}}' "$container")"
has 'the migrator has nothing left to do' 'the schema is up to date' "$(docker compose run --rm migrate 2>&1)"

created=$(curl -sSf "$api/api/tasks" -H 'Content-Type: application/json' -d '{"title":"Sample task"}')
has 'a task is created' '"title":"Sample task"' "$created"
id=$(printf '%s' "$created" | sed 's/.*"id":\([0-9]*\).*/\1/')
has 'the task is read' '"title":"Sample task"' "$(curl -sSf "$api/api/tasks/$id")"
for page in /docs /swagger/index.html /openapi.json; do
  holds "$page" 200 "$(status_of "$api$page")"
done

holds 'metrics are for those with credentials' 401 "$(status_of "$api/metrics")"
metrics=$(curl -sSf -u "$METRICS_USERNAME:$METRICS_PASSWORD" "$api/metrics")
version=$(sed -n 's/^ *"uWebSockets.js": *"[^"]*@\([0-9.]*\)".*/\1/p' package.json)
has 'the current build serves' "uWebSockets.js $version" "$(printf '%s' "$metrics" | grep '^build_info')"
has 'worker threads run batches' 'thread="worker"' "$(printf '%s' "$metrics" | grep '^batches_total.* [1-9]')"
await is_scraped
await has_dashboard

docker compose stop api
holds 'SIGTERM ends it in order' 0 "$(docker inspect --format '{{.State.ExitCode}}' "$container")"
has 'it says so' '"message":"stopped"' "$(docker compose logs --no-log-prefix api)"
