#!/bin/sh
# What a container of Agent Tools does, by its first word:
#
#   web          serve; waits until the database is up to date
#   scheduler    do scheduled work; waits likewise
#   celery       execute runs of tasks that are sent over Redis
#   migrate      bring the database up to date and end
#   flask ...    a command of the program, such as: flask create-admin
#
# Anything else is run as it is. What serves takes the place of this script, so that TERM reaches it.
set -eu
cd "$(dirname "$0")/.."
wait_seconds=${DATABASE_WAIT_SECONDS:-120}
instance=${INSTANCE_PATH:-instance}
export FLASK_APP=wsgi

if ! [ -w "$instance" ]; then
    echo "INSTANCE_PATH: $instance cannot be written by user $(id -u). Give that folder to it." >&2
    exit 1
fi
umask 077

# The model that was built into the image, for LOCAL_MODEL=auto.
if [ "${LOCAL_MODEL:-auto}" = auto ] && [ -d /opt/model/models/smollm2 ]; then
    mkdir -p "$instance/models"
    ln -sfn /opt/model/models/smollm2 "$instance/models/smollm2"
fi

# TERM ends the waiting, too; the first process of a container ignores it unless told.
wait_for_database() {
    flask database wait --seconds "$wait_seconds" "$@" &
    waiting=$!
    trap 'kill "$waiting"; exit 143' TERM INT
    wait "$waiting"
    trap - TERM INT
}

role=${1:-web}
case $role in
web)
    wait_for_database --migrated
    exec gunicorn --config gunicorn.conf.py wsgi:app
    ;;
scheduler)
    wait_for_database --migrated
    exec flask scheduler run
    ;;
celery)
    wait_for_database --migrated
    shift
    exec celery --app webapp.celery_app worker "$@"
    ;;
migrate)
    wait_for_database
    exec flask db upgrade
    ;;
*)
    exec "$@"
    ;;
esac
