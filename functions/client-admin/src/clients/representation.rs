//! From a client to JSON: the canonical members, and beside them Identety's names for the same.

use identety_domain::client::{Client, StoredSecret};
use serde_json::{Map, Value, json};

/// The client as everybody sees it who may see it. A secret is not in it, for it is nowhere.
pub(crate) fn of(client: &Client) -> Map<String, Value> {
    let metadata = &client.metadata;
    let lifetimes = &metadata.lifetimes;
    let secrets: Vec<_> = client.secrets.iter().map(secret).collect();
    let value = json!({
        "id": client.id,
        "name": metadata.name,
        "type": client.kind,
        "clientId": client.client_id,
        "redirectUris": metadata.redirect_uris,
        "postLogoutRedirectUris": metadata.post_logout_redirect_uris,
        "scopes": metadata.scopes,
        "grants": metadata.grants,
        "accessTokenLifetime": lifetimes.access_token,
        "refreshTokenLifetime": lifetimes.refresh_token,
        "refreshTokenAbsoluteLifetime": lifetimes.refresh_token_absolute,
        "skipConsent": metadata.skip_consent,
        "tokenEndpointAuthMethod": metadata.token_endpoint_auth_method,
        "requirePkce": metadata.require_pkce,
        "audiences": metadata.audiences,
        "accessTokenSigningAlg": metadata.access_token_signing_alg,
        "idTokenSigningAlg": metadata.id_token_signing_alg,
        "idTokenClaims": client.id_token_claims(),
        "allowedCorsOrigins": metadata.allowed_cors_origins,
        "isActive": metadata.is_active,
        "clientUri": metadata.client_uri,
        "logoUri": metadata.logo_uri,
        "policyUri": metadata.policy_uri,
        "tosUri": metadata.tos_uri,
        "contacts": metadata.contacts,
        "metadata": metadata.metadata,
        "secrets": secrets,
        "createdAt": client.created_at.to_string(),
        "updatedAt": client.updated_at.to_string(),
        "version": client.version,
        "allowedScopes": metadata.scopes,
        "allowedGrants": metadata.grants,
        "settings": {
            "accessTokenTTL": lifetimes.access_token,
            "refreshTokenTTL": lifetimes.refresh_token,
            "tokenEndpointAuthMethod": metadata.token_endpoint_auth_method,
            "allowedCorsOrigins": metadata.allowed_cors_origins,
        },
    });
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn secret(secret: &StoredSecret) -> Value {
    json!({
        "id": secret.id,
        "hint": secret.hint,
        "createdAt": secret.created_at.to_string(),
        "expiresAt": secret.expires_at.map(|at| at.to_string()),
        "lastUsedAt": secret.last_used_at.map(|at| at.to_string()),
    })
}
