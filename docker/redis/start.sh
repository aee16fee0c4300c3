#!/bin/sh
# Start Redis with the password of a file, which thus stands neither in the environment nor on the command line.
set -eu
configuration=${REDIS_RUN_FOLDER:-/tmp}/redis.conf
umask 077
cat "$(dirname "$0")/redis.conf" >"$configuration"
printf 'requirepass %s\n' "$(cat "${REDIS_PASSWORD_FILE:-/run/secrets/redis_password}")" >>"$configuration"
exec redis-server "$configuration" "$@"
