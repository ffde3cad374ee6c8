//! Where a value of a payload stands, and what it is compared with.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

/// Keys that lead from an object into the objects in it.
///
/// Written `soil.water`, or `["soil", "water.1"]` where a key has a dot. A number is also the place
/// in an array, from 0. `.` is the payload itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(Vec<String>);

/// Where a value stands: a path, or the id, label or number of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A path, or a text.
    Path(Path),
    /// A number.
    Number(i64),
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// True or false.
    Flag(bool),
}

impl Path {
    /// The path that is written as this text.
    pub fn parse(text: &str) -> Self {
        if text == "." {
            Self(Vec::new())
        } else {
            Self(text.split('.').map(str::to_owned).collect())
        }
    }

    /// Its keys, none for the payload itself.
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// Whether no key of it is empty.
    pub(in crate::catalogue) fn is_well_formed(&self) -> bool {
        self.0.iter().all(|key| !key.is_empty())
    }

    /// Whether it names a probe by `{n}` or `{i}`.
    pub fn is_of_probe(&self) -> bool {
        self.0.iter().any(|key| key.contains("{n}") || key.contains("{i}"))
    }

    /// The same for one probe, counted from 0.
    #[must_use]
    pub fn of_probe(&self, probe: usize) -> Self {
        let (number, place) = ((probe + 1).to_string(), probe.to_string());
        Self(self.0.iter().map(|key| key.replace("{n}", &number).replace("{i}", &place)).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for (place, key) in self.0.iter().enumerate() {
            let dot = if place == 0 { "" } else { "." };
            write!(f, "{dot}{key}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if Self::parse(&self.to_string()) == *self {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Path(path) => path.serialize(serializer),
            Self::Number(number) => serializer.serialize_i64(*number),
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(PlaceVisitor)? {
            Place::Path(path) => Ok(path),
            Place::Number(number) => Err(D::Error::custom(format_args!(
                "found {number}, wanted a path such as \"soil.water\""
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlaceVisitor)
    }
}

struct PlaceVisitor;

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path such as \"soil.water\", an array of keys, or a number")
    }

    fn visit_str<E>(self, text: &str) -> Result<Place, E> {
        Ok(Place::Path(Path::parse(text)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Place, E> {
        Ok(Place::Number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Place, E> {
        i64::try_from(number).map(Place::Number).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Place, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = seq.next_element()? {
            keys.push(key);
        }
        Ok(Place::Path(Path(keys)))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;

        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a text, or true or false")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number as f64))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number as f64))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
                Ok(Scalar::Flag(flag))
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}
