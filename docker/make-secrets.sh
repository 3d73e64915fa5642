#!/bin/sh
# Makes the secrets of the compose stack, once. Only their owner can reach the directory; the files
# themselves can be read because the services in the containers run as other users.
set -eu
directory=${1:-var/secrets}

random() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }

make_once() { # NAME VALUE
  [ -s "$directory/$1" ] || printf '%s\n' "$2" >"$directory/$1"
  chmod 444 "$directory/$1"
}

mkdir -p "$directory"
chmod 700 "$directory"
make_once api-token "$(random)"
make_once remediation-webhook "whsec_$(random)"
make_once grafana-admin-password "$(random)"
echo "Secrets are in $directory; Grafana's user is admin, its password in grafana-admin-password."
