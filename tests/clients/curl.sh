#!/bin/sh
# What a person with curl sees: a token in two requests, and what stands around the answers.
#
# IDENTETY_URL is the issuer, IDENTETY_ADMIN the path of admin.json.
set -eu

issuer=${IDENTETY_URL%/}
work=$(mktemp -d)
id=

# member NAME FILE: the text member of that name of a JSON object.
member() { sed -nE "s/.*\"$1\": *\"([^\"]*)\".*/\\1/p" "$2"; }
key=$(member apiKey "$IDENTETY_ADMIN")

# http ARGS...: one request; leaves $status, and the answer in head and body.
http() {
	: >"$work/body"
	status=$(curl -sS --max-time 15 -o "$work/body" -D "$work/head" -w '%{http_code}' "$@")
}
admin() {
	path=$1
	shift
	http "$issuer/admin$path" -H "x-api-key: $key" "$@"
}

finish() {
	code=$?
	[ -z "$id" ] || admin "/clients/$id" -X DELETE || true
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT

fail() {
	echo "failed: $1" >&2
	echo "the last answer was $status" >&2
	cat "$work/head" "$work/body" >&2
	exit 1
}
ok() { echo "ok: $1"; }
is() { [ "$status" = "$1" ] || fail "$2: $1 was expected"; }
says() { grep -q -- "$1" "$work/body" || fail "the body lacks $1"; }
header() { tr -d '\r' <"$work/head" | grep -qi -- "^$1\$" || fail "the answer lacks the header $1"; }
no_header() { ! grep -qi -- "^$1:" "$work/head" || fail "the answer has the header $1"; }

http "$issuer/.well-known/openid-configuration"
is 200 discovery
header 'access-control-allow-origin: \*'
header 'cache-control: public, max-age=300'
[ "$(member issuer "$work/body")" = "$issuer" ] || fail 'the document names another issuer'
token_endpoint=$(member token_endpoint "$work/body")
jwks_uri=$(member jwks_uri "$work/body")
for document in "$issuer/.well-known/openid-configuration" "$issuer/.well-known/oauth-authorization-server" "$jwks_uri"; do
	http "$document"
	is 200 "$document"
	etag=$(tr -d '\r' <"$work/head" | sed -nE 's/^[Ee][Tt][Aa][Gg]: (.*)/\1/p')
	http "$document" -H "if-none-match: $etag"
	is 304 "$document with its own ETag"
	http "$document" -H 'if-none-match: "other"'
	is 200 "$document with another ETag"
done
ok 'discovery and JWKS may be cached and revalidated, from any origin'

admin /clients -H 'content-type: application/json' -d '{
	"name": "curl", "type": "m2m", "scopes": ["clients:read"], "allowedCorsOrigins": ["https://app.example.com"]
}'
is 201 'the registration'
header 'cache-control: no-store'
client_id=$(member clientId "$work/body")
client_secret=$(member clientSecret "$work/body")
location=$(tr -d '\r' <"$work/head" | sed -nE 's/^[Ll]ocation: (.*)/\1/p')
id=${location##*/}
http "$location" -H "x-api-key: $key"
is 200 'the Location of the new client'
says "$client_id"
! grep -q "$client_secret" "$work/body" || fail 'the secret is shown again'

http "$token_endpoint" -u "$client_id:$client_secret" -d grant_type=client_credentials
is 200 'the token request'
header 'content-type: application/json'
header 'cache-control: no-store'
no_header access-control-allow-origin
token=$(member access_token "$work/body")
http "$issuer/admin/clients?columns=name&limit=1" -H "authorization: Bearer $token"
is 200 'the list of clients with the token'
says '"nodes"'
ok 'registered a client, fetched a token, used it'

http "$token_endpoint" -d grant_type=client_credentials -d "client_id=$client_id" -d "client_secret=$client_secret"
is 200 'the token request with client_secret_post'
http "$token_endpoint" -u "$client_id:wrong" -d grant_type=client_credentials
is 401 'a wrong secret'
header 'www-authenticate: Basic realm=.*'
says '"invalid_client"'
ok 'a wrong secret is 401 with a challenge'

http "$token_endpoint" -X OPTIONS -H 'origin: https://any.example.com' -H 'access-control-request-method: POST' \
	-H 'access-control-request-headers: authorization,content-type'
is 204 'a preflight'
header 'access-control-allow-origin: \*'
header 'access-control-allow-methods: .*POST.*'
header 'access-control-allow-headers: .*authorization.*'
no_header access-control-allow-credentials
for origin in https://app.example.com https://app.example.com.evil.example null; do
	http "$token_endpoint" -u "$client_id:$client_secret" -d grant_type=client_credentials -H "origin: $origin"
	is 200 "the token request from $origin"
	if [ "$origin" = https://app.example.com ]; then
		header "access-control-allow-origin: $origin"
	else
		no_header access-control-allow-origin
	fi
done
ok 'scripts may read a token only on an origin that the client lists'

refused() {
	what=$1
	shift
	http "$token_endpoint" "$@"
	is 400 "$what"
	says '"invalid_request"'
	header 'cache-control: no-store'
}
refused 'no grant_type' -u "$client_id:$client_secret" -d scope=clients:read
refused 'a repeated parameter' -u "$client_id:$client_secret" -d grant_type=client_credentials -d grant_type=client_credentials
refused 'two mechanisms' -u "$client_id:$client_secret" -d grant_type=client_credentials -d "client_id=$client_id" -d "client_secret=$client_secret"
refused 'a JSON body' -H 'content-type: application/json' -d '{"grant_type": "client_credentials"}'
refused 'a malformed encoding' -u "$client_id:$client_secret" -d grant_type=client%zz
http "$token_endpoint?grant_type=client_credentials&client_id=$client_id&client_secret=$client_secret" -X POST \
	-H 'content-type: application/x-www-form-urlencoded'
[ "$status" != 200 ] || fail 'credentials in the query are heeded'
http "$token_endpoint" -G -u "$client_id:$client_secret" -d grant_type=client_credentials
case $status in 404 | 405) ;; *) fail 'GET for a token' ;; esac
head -c 100000 /dev/zero | tr '\0' 'a' >"$work/large"
http "$token_endpoint" -u "$client_id:$client_secret" -d grant_type=client_credentials --data-urlencode "scope@$work/large"
is 413 'a body of 100 kB'
ok 'sloppy requests are refused: repeated, mixed, malformed, in the query, by GET, too large'
