#!/usr/bin/env bash
set -euo pipefail
java=(java -cp "/opt/zookeeper/lib/*")
case "$1" in
    start-foreground) exec "${java[@]}" "-Xmx${ZK_SERVER_HEAP}m" org.apache.zookeeper.server.quorum.QuorumPeerMain /conf/zoo.cfg ;;
    status) "${java[@]}" org.apache.zookeeper.client.FourLetterWordMain localhost 2181 srvr | grep Mode ;;
esac
