#!/bin/sh
# Fill in the configuration from the environment and become nginx.
#
#   PUBLIC_URL                the address people use, such as https://tools.example.com
#   UPSTREAMS                 where the program is, host:port pairs (web:8000)
#   TLS                       on, or off where another proxy in front does it
#   FRONT_PROXIES             addresses or networks of proxies in front, whose X-Forwarded-For is believed
#   MAX_BODY_BYTES            as for the program (4194304)
#   CONNECTIONS_PER_ADDRESS   open requests from one address (512)
#   CONNECTIONS_PER_UPSTREAM  open requests at one upstream (7000); beyond, people are told to come back
#
# "start.sh check" only looks whether nginx takes the configuration.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
run=${RUN_FOLDER:-/tmp/agent-tools}
public_url=${PUBLIC_URL:?PUBLIC_URL: give the https:// address that people use}

fail() {
    echo "$1" >&2
    exit 1
}
number() {
    case $2 in '' | *[!0-9]*) fail "$1: give a whole number, not \"$2\"." ;; esac
}

authority=${public_url#https://}
authority=${authority%/}
case $public_url in https://*) ;; *) fail "PUBLIC_URL: it must begin with https://" ;; esac
case $authority in '' | *[!A-Za-z0-9.:-]*) fail "PUBLIC_URL: it must be a name and perhaps a port, without a path." ;; esac
name=${authority%%:*}

body=${MAX_BODY_BYTES:-4194304}
per_address=${CONNECTIONS_PER_ADDRESS:-512}
per_upstream=${CONNECTIONS_PER_UPSTREAM:-7000}
number MAX_BODY_BYTES "$body"
number CONNECTIONS_PER_ADDRESS "$per_address"
number CONNECTIONS_PER_UPSTREAM "$per_upstream"

upstreams=
for each in ${UPSTREAMS:-web:8000}; do
    case $each in *[!A-Za-z0-9.:_-]*) fail "UPSTREAMS: \"$each\" is not host:port." ;; esac
    upstreams="$upstreams server $each max_conns=$per_upstream max_fails=3 fail_timeout=5s;"
done

front=
for each in ${FRONT_PROXIES:-}; do
    case $each in *[!A-Fa-f0-9.:/]*) fail "FRONT_PROXIES: \"$each\" is not an address or network." ;; esac
    front="$front set_real_ip_from $each;"
done
[ -z "$front" ] || front="$front real_ip_header X-Forwarded-For; real_ip_recursive on;"

case ${TLS:-on} in
on) servers=tls.conf ;;
off)
    [ -n "$front" ] || fail "TLS: off needs FRONT_PROXIES, the addresses of the proxies that do it."
    servers=plain.conf
    ;;
*) fail "TLS: on or off." ;;
esac

fill() {
    sed -e "s|@RUN@|$run|g" -e "s|@HERE@|$here|g" \
        -e "s|@NAME@|$name|g" -e "s|@AUTHORITY@|$authority|g" \
        -e "s|@HTTP_PORT@|${HTTP_LISTEN:-8080}|g" -e "s|@HTTPS_PORT@|${HTTPS_LISTEN:-8443}|g" \
        -e "s|@TLS@|${TLS_FOLDER:-/etc/agent-tools/tls}|g" -e "s|@ACME@|${ACME_FOLDER:-/var/www/acme}|g" \
        -e "s|@BODY_LIMIT@|$((body * 2))|g" -e "s|@CONNECTIONS_PER_ADDRESS@|$per_address|g" \
        -e "s|@HEADER_SECONDS@|${HEADER_SECONDS:-10}|g" -e "s|@BODY_SECONDS@|${BODY_SECONDS:-20}|g" \
        -e "s|@UPSTREAMS@|$upstreams|g" -e "s|@FRONT@|$front|g" "$@"
}

umask 077
mkdir -p "$run"
fill "$here/site.conf" >"$run/site.conf"
fill "$here/$servers" >"$run/servers.conf"
fill "$here/nginx.conf" | sed -e "/^@SERVERS@\$/{
r $run/servers.conf
d
}" >"$run/nginx.conf"

if [ "${1:-}" = check ]; then
    exec nginx -e stderr -t -c "$run/nginx.conf"
fi
exec nginx -e stderr -c "$run/nginx.conf" -g "daemon off;"
