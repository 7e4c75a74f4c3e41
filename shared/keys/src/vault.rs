//! The signing keys of this process: made when a deployment has none, opened once, kept.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identety_domain::client::SigningAlg;
use identety_domain::grant::RefreshKey;
use identety_domain::keys::{Jwks, KeyRing, NewKey, Signer, SigningError, Verifier};
use identety_domain::store::{Change, KeyStore, StoredKeys};
use identety_domain::{Timestamp, id};
use rand_core::CryptoRng;
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::key_pair::KeyPair;
use crate::public_keys::PublicKeys;
use crate::refresh_key;
use crate::seal::{DataKey, DataKeys, Sealer, Sealing};
use crate::{DataKeyError, KeysError};

/// Opens the signing keys at the first need, and keeps them.
pub struct KeyVault {
    store: Arc<dyn KeyStore>,
    sealing: Sealing,
    opened: OnceCell<Arc<OpenedKeys>>,
}

impl KeyVault {
    /// A vault over `store`. Nothing is read yet.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, sealing: Sealing) -> Self {
        Self { store, sealing, opened: OnceCell::new() }
    }

    /// The opened keys. The first call reads the store, makes what is missing and opens it; when that
    /// fails, the next call tries again.
    ///
    /// # Errors
    /// When the store or the key management service fails, or a key does not open.
    pub async fn opened(
        &self,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<&Arc<OpenedKeys>, KeysError> {
        self.opened.get_or_try_init(|| self.open(now, rng)).await
    }

    async fn open(
        &self,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<OpenedKeys>, KeysError> {
        let mut stored = self.store.load().await?;
        let data_key = self.data_key(&mut stored).await?;
        let sealer = Sealer::new(&data_key)?;
        for alg in SigningAlg::ALL {
            if stored.rings.iter().any(|ring| ring.alg == alg) {
                continue;
            }
            let (current, next) = (new_key(alg, &sealer, rng)?, new_key(alg, &sealer, rng)?);
            let ring = KeyRing::first(alg, current, next, now);
            match self.store.put_ring(&ring).await? {
                Change::Done => stored.rings.push(ring),
                // Another process was faster; its keys are the ones.
                Change::Conflict => stored.rings = self.store.load().await?.rings,
            }
        }
        // Every process shows the same key set in the same order, for its entity tag follows from that.
        stored.rings.sort_by_key(|ring| ring.alg);
        let refresh_key = refresh_key::derive(&data_key)?;
        Ok(Arc::new(OpenedKeys::open(&stored.rings, &sealer, refresh_key)?))
    }

    async fn data_key(&self, stored: &mut StoredKeys) -> Result<DataKey, KeysError> {
        match &self.sealing {
            Sealing::Local(key) => Ok(key.clone()),
            Sealing::Managed(data_keys) => self.managed_key(&**data_keys, stored).await,
        }
    }

    /// The wrapped key of the store, or a new one; of two processes that make one, one stores it.
    async fn managed_key(
        &self,
        data_keys: &dyn DataKeys,
        stored: &mut StoredKeys,
    ) -> Result<DataKey, KeysError> {
        if let Some(wrapped) = &stored.wrapped_key {
            return Ok(data_keys.unwrap(wrapped).await?);
        }
        let (key, wrapped) = data_keys.generate().await?;
        match self.store.put_wrapped_key(&wrapped).await? {
            Change::Done => Ok(key),
            Change::Conflict => {
                *stored = self.store.load().await?;
                let missing = || DataKeyError::Refused("the wrapped key is gone".to_owned());
                let wrapped = stored.wrapped_key.as_ref().ok_or_else(missing)?;
                Ok(data_keys.unwrap(wrapped).await?)
            }
        }
    }
}

fn new_key(
    alg: SigningAlg,
    sealer: &Sealer,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<NewKey, KeysError> {
    let pair = KeyPair::generate(alg)?;
    let kid = id::random_text::<12>(rng);
    let sealed = sealer.seal(&kid, &pair.to_pkcs8()?)?;
    Ok(NewKey { kid, public: pair.public()?, sealed })
}

/// The current key pairs, the public halves of all, and the key of refresh tokens.
pub struct OpenedKeys {
    current: Vec<CurrentKey>,
    public: PublicKeys,
    jwks: Jwks,
    refresh_key: RefreshKey,
}

struct CurrentKey {
    alg: SigningAlg,
    kid: String,
    pair: KeyPair,
}

/// The header of what this server signs.
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

impl OpenedKeys {
    fn open(
        rings: &[KeyRing],
        sealer: &Sealer,
        refresh_key: RefreshKey,
    ) -> Result<Self, KeysError> {
        let mut current = Vec::new();
        for ring in rings {
            if let Some(key) = ring.current() {
                let der = sealer.open(&key.kid, &key.sealed)?;
                let pair = KeyPair::from_pkcs8(ring.alg, &der)?;
                current.push(CurrentKey { alg: ring.alg, kid: key.kid.clone(), pair });
            }
        }
        Ok(Self { current, public: PublicKeys::of(rings), jwks: Jwks::of(rings), refresh_key })
    }

    /// What the world sees of the keys.
    #[must_use]
    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// The key under which refresh tokens are made: the same in every process of a deployment.
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

impl Verifier for OpenedKeys {
    fn verify(&self, typ: &str, jws: &str) -> Option<Vec<u8>> {
        self.public.verify(typ, jws)
    }
}

impl fmt::Debug for OpenedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids = self.current.iter().map(|key| &key.kid);
        f.debug_list().entries(kids).finish()
    }
}
