#!/bin/sh
# What the image is built from, in its first stage; runs in /app, and anywhere else for the tests.
#
#   sh install.sh packages VENV "celery otel model"    the locked packages, with hashes
#   sh install.sh files    VENV "celery otel model"    what is made of the source once it is there
set -eu
what=$1 venv=$2 extras=$3

packages() {
    python -m venv --without-pip "$venv"
    set -- --requirement requirements.txt
    for extra in $extras; do
        if ! [ -f "requirements-$extra.txt" ]; then
            echo "EXTRAS: there is no set named $extra." >&2
            exit 1
        fi
        set -- "$@" --requirement "requirements-$extra.txt"
    done
    # The lists are whole: nothing that they do not name comes along. What exists only as source is built by the locked
    # setuptools, which does not stay.
    set -- --quiet --no-compile --require-hashes --no-deps "$@"
    python -m pip --python "$venv/bin/python" install --quiet --require-hashes --no-deps --requirement requirements-build.txt
    python -m pip --python "$venv/bin/python" install --no-build-isolation "$@"
    python -m pip --python "$venv/bin/python" uninstall --quiet --yes setuptools
}

files() {
    case " $extras " in
    *" model "*) python webapp/llm/local/weights.py "$(dirname "$venv")/model" ;;
    esac
    "$venv/bin/python" -c 'from webapp.web.assets import compile_translations; compile_translations()'
    "$venv/bin/python" -m compileall -q -j 0 "$venv" webapp migrations wsgi.py gunicorn.conf.py
    rm -f requirements*.txt install.sh
}

"$what"
