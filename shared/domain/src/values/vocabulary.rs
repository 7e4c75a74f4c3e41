//! Closed sets of words: the enum, the list of all members and the words come from one table, so that they agree.

/// Writes an enum whose members are words of a protocol, with `ALL`, `as_str` and `parse`.
macro_rules! vocabulary {
    (
        $(#[$attribute:meta])*
        pub enum $set:ident {
            $($(#[$member_attribute:meta])* $member:ident => $word:literal,)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $set {
            $($(#[$member_attribute])* #[serde(rename = $word)] $member,)*
        }

        impl $set {
            /// All members, in the order of their table.
            pub const ALL: [Self; [$(Self::$member),*].len()] = [$(Self::$member),*];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)*
                }
            }

            /// The member with that word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|member| member.as_str() == word)
            }
        }

        impl std::fmt::Display for $set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use vocabulary;
