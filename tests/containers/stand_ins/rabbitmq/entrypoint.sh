#!/usr/bin/env bash
# Gives root up; RabbitMQ reads its variables itself.
set -euo pipefail
chown -R rabbitmq:rabbitmq /var/lib/rabbitmq
exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "/usr/lib/rabbitmq/bin/$1" "${@:2}"
