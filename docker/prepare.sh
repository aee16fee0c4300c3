#!/bin/sh
# What the image's last stage needs of the system: a user without rights, and a folder that is the user's own.
set -eu
extras=$1
groupadd --gid 10001 agent-tools
useradd --uid 10001 --gid 10001 --home-dir /var/lib/agent-tools --no-create-home --shell /usr/sbin/nologin agent-tools
install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/agent-tools
case " $extras " in
*" model "*)
    apt-get update -qq
    apt-get install --yes --no-install-recommends libgomp1
    rm -rf /var/lib/apt/lists/*
    ;;
esac
