#!/usr/bin/env bash
# Writes the configuration from the variables, and gives root up.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
    chown -R server /conf /data /datalog
    exec setpriv --reuid=server --regid=server --init-groups "$0" "$@"
fi
cat >/conf/zoo.cfg <<EOF
dataDir=/data
dataLogDir=/datalog
tickTime=2000
initLimit=5
syncLimit=2
autopurge.snapRetainCount=3
autopurge.purgeInterval=$ZOO_AUTOPURGE_PURGEINTERVAL
maxClientCnxns=60
standaloneEnabled=true
admin.enableServer=$ZOO_ADMINSERVER_ENABLED
server.1=localhost:2888:3888;2181
EOF
echo 1 >/data/myid
exec "$@"
