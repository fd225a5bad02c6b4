#!/bin/sh
# Makes the secrets of an overlay: sh deploy/kubernetes/make-secrets.sh small|cluster
#
# Writes files to overlays/<overlay>/secrets, each readable by you alone, and keeps those that are there. For `small` it makes all of them.
# For `cluster` it makes those that may be random, and names those that you bring.
set -eu
umask 077

overlay=${1:-}
case $overlay in small | cluster) ;; *)
  echo "Usage: sh $0 small|cluster" >&2
  exit 2
  ;;
esac
folder=$(dirname "$0")/overlays/$overlay/secrets
mkdir -p "$folder/owner" "$folder/worker" "$folder/reader"

random() { head -c "$1" /dev/urandom | od -An -vtx1 | tr -d ' \n'; }

# keep <file> <content>: writes a file that is not there. By a rename, so that no half of a secret is left behind.
keep() {
  [ -e "$folder/$1" ] && return
  printf %s "$2" >"$folder/$1.part"
  mv "$folder/$1.part" "$folder/$1"
  echo "Made $folder/$1"
}

keep webhook-secret "wsec_$(random 32)"
keep dashboard-password "$(random 24)"
keep api-token "$(random 24)"
keep initiation-token "$(random 24)"
# Yours, where you have one.
keep provider-key ''

if [ "$overlay" = small ]; then
  keep postgres-password "$(random 24)"
  keep redis-url redis://landline-redis:6379
  for role in owner worker reader; do
    keep "$role/password" "$(random 32)"
    keep "$role/url" "postgresql://landline_$role:$(cat "$folder/$role/password")@landline-postgres:5432/landline"
  done
else
  keep storage-credentials ''
  for file in redis-url owner/url worker/url reader/url; do
    [ -e "$folder/$file" ] || echo "Missing: $folder/$file. docs/kubernetes.md says what goes in."
  done
fi
