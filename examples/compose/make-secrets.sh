#!/bin/sh
# Write secrets/*.env beside this file: new passwords, and the database that DATABASE_URL names.
#
#   DATABASE_URL=postgresql://... BOUNTY_ENV=production sh make-secrets.sh
#
# The URL comes by a variable, never as an argument: arguments stand in `ps`.
set -eu
umask 077
cd "$(dirname "$0")"

if [ -z "${DATABASE_URL:-}" ]; then
    echo "DATABASE_URL is not set: the database that is to be backed up." >&2
    exit 2
fi
if [ -e secrets ]; then
    echo "secrets/ is there already; its passwords are in use. Remove it to begin anew." >&2
    exit 3
fi

word() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
password="$(word)"
mkdir secrets
printf 'POSTGRES_PASSWORD=%s\n' "$password" >secrets/postgres.env
printf 'DAGSTER_PG_PASSWORD=%s\n' "$password" >secrets/dagster.env
printf 'AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n' "$(word)" "$(word)" >secrets/s3.env
{
    # In the network of these containers nobody else can listen, and the image offers no TLS.
    printf 'OPS_DATABASE_URL=postgresql://bounty_ops:%s@postgres:5432/bounty_ops?sslmode=disable\n' "$password"
    printf 'BOUNTY_ENV=%s\n' "${BOUNTY_ENV:-development}"
    printf 'DATABASE_URL=%s\n' "$DATABASE_URL"
} >secrets/code.env
echo "Wrote secrets/*.env"
