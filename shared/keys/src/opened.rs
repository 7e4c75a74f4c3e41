//! Opened keys: they sign, and judge who signed.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identety_domain::Timestamp;
use identety_domain::client::SigningAlg;
use identety_domain::grant::RefreshKey;
use identety_domain::keys::{Judgement, Jwks, KeyRing, Signer, SigningError, SigningKey, Verifier};
use identety_domain::store::StoreError;
use serde::Serialize;

use crate::error::KeysError;
use crate::key_pair::KeyPair;
use crate::public_keys::PublicKeys;
use crate::seal::Sealer;

/// The current key pairs, the public halves of all, and the key of refresh tokens: a set that never
/// changes. A rotation makes another one.
pub struct OpenedKeys {
    pub(crate) rings: Vec<KeyRing>,
    pub(crate) current: Vec<Arc<CurrentKey>>,
    public: PublicKeys,
    jwks: Jwks,
    refresh_key: RefreshKey,
}

/// A key pair that signs.
pub(crate) struct CurrentKey {
    alg: SigningAlg,
    kid: String,
    pair: KeyPair,
}

/// The key pairs that sign for `rings`. One that is open already is kept, for an RSA key is dear to parse.
pub(crate) fn open_current(
    rings: &[KeyRing],
    sealer: &Sealer,
    open: &[Arc<CurrentKey>],
) -> Result<Vec<Arc<CurrentKey>>, KeysError> {
    let current = rings.iter().filter_map(|ring| Some((ring.alg, ring.current()?)));
    let opened = current.map(|(alg, key)| {
        let is_this = |open: &&Arc<CurrentKey>| open.kid == key.kid && open.alg == alg;
        if let Some(open) = open.iter().find(is_this) {
            return Ok(open.clone());
        }
        let pair = open_pair(alg, key, sealer)?;
        Ok(Arc::new(CurrentKey { alg, kid: key.kid.clone(), pair }))
    });
    opened.collect()
}

/// The key pair of a stored key.
pub(crate) fn open_pair(
    alg: SigningAlg,
    key: &SigningKey,
    sealer: &Sealer,
) -> Result<KeyPair, KeysError> {
    KeyPair::from_pkcs8(alg, &sealer.open(&key.kid, &key.sealed)?)
}

/// The header of what this server signs.
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

impl OpenedKeys {
    /// The keys of `rings`, of which those that sign are `current`. Every process shows the same key set in
    /// the same order, for its entity tag follows from that.
    pub(crate) fn new(
        rings: Vec<KeyRing>,
        current: Vec<Arc<CurrentKey>>,
        refresh_key: RefreshKey,
    ) -> Self {
        let (public, jwks) = (PublicKeys::of(&rings), Jwks::of(&rings));
        Self { rings, current, public, jwks, refresh_key }
    }

    /// What the world sees of the keys.
    #[must_use]
    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// The key under which refresh tokens are made: the same in every process of a deployment, and not
    /// touched by rotations.
    #[must_use]
    pub fn refresh_key(&self) -> &RefreshKey {
        &self.refresh_key
    }
}

impl Signer for OpenedKeys {
    fn sign(&self, alg: SigningAlg, typ: &str, claims: &[u8]) -> Result<String, SigningError> {
        let key = self.current.iter().find(|key| key.alg == alg);
        let key = key.ok_or(SigningError::NoKey(alg.as_str()))?;
        let header = Header { typ, alg: alg.as_str(), kid: &key.kid };
        let header = serde_json::to_vec(&header).map_err(|_| SigningError::Failed)?;
        let mut jws = URL_SAFE_NO_PAD.encode(header);
        jws.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut jws);
        let signature = key.pair.sign(jws.as_bytes()).ok_or(SigningError::Failed)?;
        jws.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jws);
        Ok(jws)
    }
}

/// A set that never changes is not read again: [`crate::KeyVault`] hands out one that is recent enough.
#[async_trait]
impl Verifier for OpenedKeys {
    async fn verify(&self, typ: &str, jws: &str, _: Timestamp) -> Result<Judgement, StoreError> {
        Ok(self.public.judge(typ, jws))
    }
}

impl fmt::Debug for OpenedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids = self.current.iter().map(|key| &key.kid);
        f.debug_list().entries(kids).finish()
    }
}
