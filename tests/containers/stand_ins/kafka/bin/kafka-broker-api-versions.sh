#!/usr/bin/env bash
exec java -Xmx256M -cp "/opt/kafka/libs/*" org.apache.kafka.tools.BrokerApiVersionsCommand "$@"
