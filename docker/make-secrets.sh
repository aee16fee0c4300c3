#!/bin/sh
# Make what docker/compose.yaml needs before its first start: the secrets, a certificate, and the file .env.
#
#   sh docker/make-secrets.sh tools.example.com
#
# What is there already is left alone, so that this can be run again. Passwords are never printed.
set -eu
name=${1:-}
folder=$(cd "$(dirname "$0")" && pwd)
secrets=$folder/secrets

case $name in
'' | -* | *[!A-Za-z0-9.:-]*)
    echo "Usage: sh docker/make-secrets.sh HOST[:PORT], the name people will type, such as tools.example.com" >&2
    exit 2
    ;;
esac
host=${name%%:*}

umask 077
mkdir -p "$secrets/tls"
chmod 700 "$secrets" # nobody else on this machine gets as far as the files
chmod 755 "$secrets/tls" # this folder as such is shown to the proxy

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# Containers read these files as users that do not exist here: the folder keeps others out, not the files' own rights.
write() {
    if [ -s "$secrets/$1" ]; then
        return
    fi
    printf '%s' "$2" >"$secrets/$1.new"
    chmod 444 "$secrets/$1.new"
    mv -f "$secrets/$1.new" "$secrets/$1"
}

for each in secret_key audit_key mysql_root_password mysql_password redis_password metrics_token grafana_password; do
    write "$each" "$(random)"
done
write encryption_keys "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n')"
write database_url "mysql://agent_tools:$(cat "$secrets/mysql_password")@mysql:3306/agent_tools"
write redis_url "redis://:$(cat "$secrets/redis_password")@redis:6379/0"
for each in secret_key audit_key mysql_root_password mysql_password redis_password encryption_keys metrics_token; do
    if [ "$(wc -c <"$secrets/$each")" -lt 40 ]; then
        echo "$secrets/$each is too short: remove it and run this again." >&2
        exit 1
    fi
done
# These may stay empty.
for each in mail_password zhipuai_api_key openai_compatible_api_key; do
    write "$each" ""
done

if ! [ -s "$secrets/tls/fullchain.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 \
        -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
        -keyout "$secrets/tls/privkey.pem" -out "$secrets/tls/fullchain.pem" 2>/dev/null
    chmod 444 "$secrets/tls/privkey.pem" "$secrets/tls/fullchain.pem"
    echo "Made a certificate signed by itself: browsers will warn. Put a real one into $secrets/tls."
fi

if ! [ -s "$folder/.env" ]; then
    cat >"$folder/.env" <<END
# What differs between deployments; secrets are files in secrets/. All settings: ../docs/configuration.md
PUBLIC_URL=https://$name
# Names that are answered: people's, and the one Prometheus asks under in here.
TRUSTED_HOSTS=$host,web
# How mail is sent: without it nobody can register. The password goes into secrets/mail_password,
# keys of providers into secrets/zhipuai_api_key and secrets/openai_compatible_api_key.
MAIL_SERVER=
MAIL_PORT=587
MAIL_USERNAME=
MAIL_SENDER=agent-tools@$host
END
    echo "Made $folder/.env: fill in MAIL_SERVER."
fi
echo "Ready: docker compose --file docker/compose.yaml up --detach --build"
