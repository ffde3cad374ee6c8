//! Pieces of reading JSON that more than one format uses: visitors that take whatever comes and say
//! what it was, so that serde fails on broken JSON alone.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Visitor};

/// Writes the visits that a visitor does not care for as one constant each.
macro_rules! otherwise {
    ($make:expr; $($kind:ident)*) => { $( otherwise!(@ $make; $kind); )* };
    (@ $make:expr; bool) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($make("true or false")) }
    };
    (@ $make:expr; number) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($make("a number")) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($make("a number")) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($make("a number")) }
    };
    (@ $make:expr; text) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($make("a text")) }
    };
    (@ $make:expr; null) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok($make("null")) }
    };
    (@ $make:expr; array) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            Ok($make("an array"))
        }
    };
    (@ $make:expr; object) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
            Ok($make("an object"))
        }
    };
}

/// What a visitor says that it wants, where serde asks.
macro_rules! expecting {
    ($what:literal) => {
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str($what)
        }
    };
}

pub(super) use {expecting, otherwise};

/// A text, borrowed where it has no escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            expecting!("a text");

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// A value as it was written, of a kind that is not known beforehand.
pub(super) enum Field<'a> {
    Absent,
    Text(Cow<'a, str>),
    Whole(i64),
    Number(f64),
    Flag(bool),
    Other(&'static str),
}

impl Field<'_> {
    /// For a message.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Absent => "null".to_owned(),
            Self::Text(text) => format!("{:?}", super::shown(text)),
            Self::Whole(whole) => whole.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Other(found) => (*found).to_owned(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = Field<'de>;

            expecting!("any value");

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
                Ok(Field::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
                Ok(Field::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_i64<E>(self, whole: i64) -> Result<Field<'de>, E> {
                Ok(Field::Whole(whole))
            }

            fn visit_u64<E>(self, whole: u64) -> Result<Field<'de>, E> {
                Ok(i64::try_from(whole).map_or(Field::Number(whole as f64), Field::Whole))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Field<'de>, E> {
                Ok(Field::Number(number))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Field<'de>, E> {
                Ok(Field::Flag(flag))
            }

            fn visit_unit<E>(self) -> Result<Field<'de>, E> {
                Ok(Field::Absent)
            }

            otherwise!(Field::Other; array object);
        }

        deserializer.deserialize_any(FieldVisitor)
    }
}
