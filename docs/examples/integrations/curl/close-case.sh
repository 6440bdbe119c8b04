#!/usr/bin/env bash
# Closes one case by webhook: `bash close-case.sh CASE OUTCOME [CLOSURE_ID]`.
#
#   KOMMUNLOTS_URL  where Kommunlots answers, such as https://kommunlots.example
#   DEPARTMENT      the department's label in the agreements, such as bygg
#   SECRET_FILE     the file with the department's secret, whsec_...
#
# OUTCOME is done, declined, no_action or withdrawn. CLOSURE_ID is of your own choice, one for each closure; sending again with
# the same one is safe. Exits with 0 when the case is closed, 1 when the closure was refused, 2 when the signature or the call
# was wrong, and 75 when it should be sent again later.
set -euo pipefail

case=${1:?the case, as the mail or the message named it} outcome=${2:?done, declined, no_action or withdrawn}
id=${3:-close-$case}
: "${KOMMUNLOTS_URL:?}" "${DEPARTMENT:?}" "${SECRET_FILE:?}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is signed is what is sent, byte for byte: it is written once.
printf '{"specversion":"1.0","id":"%s","source":"https://%s.example/cases","type":"se.kommunlots.case.closure.v1","data":{"case":"%s","outcome":"%s"}}' \
  "$id" "$DEPARTMENT" "$case" "$outcome" >"$work/body"

# Standard Webhooks: base64 of HMAC-SHA256 over `id.timestamp.body`; the key is what follows whsec_, decoded. The arguments of a
# command can be seen by others on the same machine: where there are others, sign within your own program.
at=$(date +%s)
secret=$(tr -d '[:space:]' <"$SECRET_FILE")
key=$(printf '%s' "${secret#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
signature=$({ printf '%s.%s.' "$id" "$at" && cat "$work/body"; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)

status=$(curl -sS -o "$work/answer" -w '%{http_code}' --max-time 30 "$KOMMUNLOTS_URL/routing/closures/$DEPARTMENT" \
  -H 'Content-Type: application/cloudevents+json' \
  -H "webhook-id: $id" -H "webhook-timestamp: $at" -H "webhook-signature: v1,$signature" \
  --data-binary "@$work/body") || { echo "no answer; send it again later, with the id $id" >&2 && exit 75; }

echo "$status $(cat "$work/answer")"
case $status in
200) ;; # The case is closed, now or before.
409) exit 1 ;; # Refused; the same again does not help, and `why` says what would.
422) exit 1 ;; # It cannot be read; `kommunlots closure check` tells what is wrong before it is sent.
401 | 4??) exit 2 ;; # Not signed as it must be, or too late: look at the secret and the clock.
*) exit 75 ;; # Not now; send it again later, with the same id and a new timestamp.
esac
