//! Secret keys and passwords in memory.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The longest name or password that a client can send, in bytes.
pub(super) const MAX_LENGTH: usize = 255;

/// A secret key or a password. It is wiped from memory when it is dropped.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text is the same. The time that this takes shows neither how much of the text is the same, nor how
    /// long the secret is.
    pub(crate) fn is(&self, text: &str) -> bool {
        let (one, other) = (self.0.as_bytes(), text.as_bytes());
        let length = MAX_LENGTH.max(one.len()).max(other.len());
        let byte = |text: &[u8], index: usize| text.get(index).copied().unwrap_or_default();
        let is_same = |index| byte(one, index).ct_eq(&byte(other, index));
        let same_length = (one.len() as u64).ct_eq(&(other.len() as u64));
        (0..length)
            .fold(same_length, |same, index| same & is_same(index))
            .into()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        text.to_owned().into()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.is(other.as_str())
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_equal_only_as_a_whole() {
        let secret = Secret::from("enchantress");
        assert!(secret.is("enchantress"));
        for other in [
            "",
            "enchantres",
            "enchantress!",
            "enchantress\0",
            "Enchantress",
            "enchantresS",
        ] {
            assert!(!secret.is(other), "{other}");
        }
        let (long, other) = ("x".repeat(300), ["x".repeat(299), "y".to_owned()].concat());
        assert!(Secret::from(long.as_str()).is(&long));
        assert!(!Secret::from(long).is(&other));
    }
}
