#!/usr/bin/env bash
# Writes the configuration from the variables, formats a NameNode's folder that is not there yet, and becomes the command.
set -euo pipefail
python3 /opt/hadoop/bin/envtoconf.py /opt/hadoop/etc/hadoop
if [ -n "${ENSURE_NAMENODE_DIR-}" ] && [ ! -d "$ENSURE_NAMENODE_DIR" ]; then
    hdfs namenode -format -force
fi
exec "$@"
