#!/usr/bin/env bash
# Proves that the arrows between the crates go one way.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0

# forbid CRATE PATTERN: no dependency of CRATE, however deep, may match PATTERN.
forbid() {
    local found
    found=$(cargo tree --locked --quiet --edges normal --prefix none --package "$1" | cut -d' ' -f1 | sort -u |
        grep -E "^($2)\$" || true)
    if [[ -n $found ]]; then
        echo "layers: $1 depends on $(tr '\n' ' ' <<<"$found")" >&2
        failed=1
    fi
}

forbid identety-domain 'aws-.*|lambda.*|http|axum|tokio|hyper|identety-(dynamodb|http|keys)'
forbid identety-dynamodb 'axum|lambda_http|identety-http|identety-keys|authorize|token|client-admin|key-rotation|identety'
forbid identety-keys 'axum|lambda_http|aws-sdk-dynamodb|identety-http|identety-dynamodb|authorize|token|client-admin|key-rotation|identety'
forbid identety-http 'aws-sdk-.*|identety-dynamodb|identety-keys|authorize|token|client-admin|key-rotation|identety'
forbid authorize 'token|client-admin|key-rotation|identety|dynoxide-rs|aws-sdk-kms'
forbid token 'authorize|client-admin|key-rotation|identety|dynoxide-rs'
forbid client-admin 'authorize|token|key-rotation|identety|dynoxide-rs|aws-sdk-kms'
forbid key-rotation 'authorize|token|client-admin|identety|dynoxide-rs'

exit "$failed"
