#!/bin/sh
# Outlives the launcher, whichever way that ends, and then ends its children.
# Standard input is a pipe from the launcher; each line on it is the whole list of children as pid:signal:container.
trap '' HUP INT TERM

children=
while read -r line; do children=$line; done

each() {
  for child in $children; do
    pid=${child%%:*} container=${child##*:}
    signal=${child#*:} signal=${signal%%:*}
    "$@"
  done
}
ask() { kill -s "$signal" "$pid"; }
check() { if kill -s 0 -- "-$pid"; then alive=yes; fi; }
force() {
  kill -s KILL -- "-$pid"
  if [ -n "$container" ]; then docker rm --force --volumes "$container"; fi
}

each ask
tries=0 alive=yes
while [ "$alive" = yes ] && [ "$tries" -lt 100 ]; do
  alive=no tries=$((tries + 1))
  each check
  sleep 0.1
done
each force
