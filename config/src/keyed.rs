//! A closed list of words, each with its key in files and its name in both languages.

/// Defines an enum whose variants have a key (`snake_case`, in files, tables and the API) and a name
/// in Chinese and English.
///
/// Parsing takes the key or the Chinese name, because files from offices carry the latter.
macro_rules! keyed {
    (
        $(#[$meta:meta])*
        pub enum $name:ident ($what:literal) {
            $( $(#[$vmeta:meta])* $variant:ident = $key:literal, $zh:literal, $en:literal; )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "&'static str")]
        #[schema(rename_all = "snake_case")]
        pub enum $name {
            $( $(#[$vmeta])* $variant, )+
        }

        impl $name {
            /// Every value, in the order of the definition.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The key used in files, tables and the API.
            pub const fn key(self) -> &'static str {
                match self { $( Self::$variant => $key, )+ }
            }

            /// The name that people read.
            pub fn name(self) -> $crate::text::Text {
                match self { $( Self::$variant => $crate::text::Text::new($zh, $en), )+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.key())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $( $key | $zh => Ok(Self::$variant), )+
                    _ => Err($crate::text::UnknownWord {
                        what: $what,
                        found: word.to_owned(),
                        wanted: &[ $( $key, )+ ],
                    }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text::UnknownWord;

            fn try_from(word: String) -> Result<Self, Self::Error> {
                word.parse()
            }
        }

        impl From<$name> for &'static str {
            fn from(value: $name) -> Self {
                value.key()
            }
        }
    };
}

pub(crate) use keyed;
