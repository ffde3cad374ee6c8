//! Tokens of devices and gateways: made here, shown once, kept as a hash.
//!
//! A token holds 256 random bits, so a plain SHA-256 keeps it safe at rest: there is nothing to guess
//! that a slow hash would protect.

use std::fmt::{self, Write as _};

use rand::{TryRngCore as _, rngs::OsRng};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A new token in clear; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Makes one from the operating system's randomness: 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Where the operating system gives no randomness.
    pub fn generate() -> Result<Self, rand::rand_core::OsError> {
        let mut bytes = [0_u8; 32];
        OsRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(hexadecimal(&bytes)))
    }

    /// The token as the device gives it for its password.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        hash(self.0.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// 32 bytes as 64 digits.
pub(crate) fn hexadecimal(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What is kept of a token.
pub fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Whether `password` is the token of which `kept` is the hash; without a hash it never is. The time
/// that the answer takes tells nothing of either.
pub fn verify(password: &[u8], kept: Option<&[u8; 32]>) -> bool {
    is_same(&hash(password), kept)
}

/// The same for a token that is hashed already.
pub(crate) fn is_same(found: &[u8; 32], kept: Option<&[u8; 32]>) -> bool {
    let is_equal = found.ct_eq(kept.unwrap_or(&[0; 32]));
    bool::from(is_equal) && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_verified_by_its_hash_alone() {
        let token = Token::generate().unwrap();
        assert!(verify(token.as_str().as_bytes(), Some(&token.hash())));
        assert!(!verify(b"guess", Some(&token.hash())));
        assert!(!verify(token.as_str().as_bytes(), None));
    }

    #[test]
    fn two_tokens_differ_and_neither_is_printed() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "Token(***)");
    }
}
