//! Algorithms of signatures (RFC 7518 §3.1).

use super::vocabulary::vocabulary;

vocabulary! {
    /// The algorithm of a signature that this server makes.
    #[derive(Default, Ord, PartialOrd)]
    pub enum SigningAlg {
        /// RSASSA-PKCS1-v1_5 with SHA-256: what API Gateway's JWT authorizer takes.
        #[default]
        Rs256 => "RS256",
        /// ECDSA on P-256 with SHA-256: ten times cheaper to make.
        Es256 => "ES256",
    }
}
