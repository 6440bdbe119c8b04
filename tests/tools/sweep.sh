#!/usr/bin/env bash
# Ends what a run of the tests has left behind when the run itself was killed: `sweep.sh PID MARK`.
#
# A test ends what it started, and the product's private servers end with the product. Neither helps when a test is
# killed outright. Every process of a run has MARK in its environment, so that those and no others are found.
set -uo pipefail

run=$1 mark=TESTS_RUN=$2

marked() {
  local environment pid
  for environment in /proc/[0-9]*/environ; do
    pid=${environment#/proc/}
    pid=${pid%/environ}
    # Only what this user owns can be read; everything of the run is among it.
    [ "$pid" != $$ ] && grep -qzxF -- "$mark" "$environment" 2>/dev/null && echo "$pid"
  done
}

# With its start time, since another process may get its number.
born() { cut -d ' ' -f 22 "/proc/$run/stat" 2>/dev/null; }
since=$(born)
while [ -n "$since" ] && [ "$(born)" = "$since" ]; do sleep 1; done

# In order first: a server that is ended with its product leaves whole data, and a test run its report.
for signal in TERM TERM KILL; do
  left=$(marked)
  [ -n "$left" ] || exit 0
  # shellcheck disable=SC2086 # one word a process
  kill -"$signal" $left 2>/dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(marked)" ] || exit 0
    sleep 1
  done
done
