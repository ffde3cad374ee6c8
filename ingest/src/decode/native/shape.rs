//! The JSON of the native payload as it is written, before anything is looked up.
//!
//! Every visitor takes whatever comes and says what was wrong with it, so that serde fails on broken
//! JSON alone. Keys and units are borrowed from the payload wherever it has no escapes.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::decode::field::{Field, Text, expecting, otherwise};

/// Readings of one object; a node with more probes sends several objects.
const READINGS_MAX: usize = 1024;

/// The whole payload.
pub(super) struct Message<'a>(pub(super) Vec<Element<'a>>);

/// One object of the payload, or what was found in its place.
pub(super) enum Element<'a> {
    Object(Object<'a>),
    Other(&'static str),
}

/// One object.
#[derive(Default)]
pub(super) struct Object<'a> {
    pub(super) time: Option<Time>,
    pub(super) seq: Option<u64>,
    pub(super) supersede: bool,
    /// In the order of the payload; key, perhaps `@depth`, and value.
    pub(super) readings: Vec<(Cow<'a, str>, Value<'a>)>,
    /// The first thing in it that makes the whole object unreadable.
    pub(super) wrong: Option<String>,
}

/// `time` as it was written.
pub(super) enum Time {
    Text(String),
    Number(f64),
    Whole(i64),
}

/// The value of a reading as it was written.
pub(super) enum Value<'a> {
    Number(f64),
    WithUnit(f64, Cow<'a, str>),
    NotFinite(&'static str),
    Wrong(&'static str),
}

impl<'de> Deserialize<'de> for Message<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MessageVisitor)
    }
}

struct MessageVisitor;

impl<'de> Visitor<'de> for MessageVisitor {
    type Value = Message<'de>;

    expecting!("an object or an array of objects");

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Message<'de>, A::Error> {
        Ok(Message(vec![ElementVisitor.visit_map(map)?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Message<'de>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Message(elements))
    }

    otherwise!(|found| Message(vec![Element::Other(found)]); bool number text null);
}

impl<'de> Deserialize<'de> for Element<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element<'de>;

    expecting!("an object");

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element<'de>, A::Error> {
        let mut object = Object::default();
        while let Some(Text(key)) = map.next_key()? {
            match key.as_ref() {
                "time" => match map.next_value()? {
                    Field::Absent => object.time = None,
                    Field::Text(text) => object.time = Some(Time::Text(text.into_owned())),
                    Field::Whole(whole) => object.time = Some(Time::Whole(whole)),
                    Field::Number(number) => object.time = Some(Time::Number(number)),
                    other => object.mistake("time", &other, "RFC 3339 or a number since 1970"),
                },
                "seq" => match map.next_value()? {
                    Field::Absent => object.seq = None,
                    Field::Whole(whole) if whole >= 0 => object.seq = Some(whole.unsigned_abs()),
                    other => object.mistake("seq", &other, "a whole number from 0"),
                },
                "supersede" => match map.next_value()? {
                    Field::Absent => object.supersede = false,
                    Field::Flag(flag) => object.supersede = flag,
                    other => object.mistake("supersede", &other, "true or false"),
                },
                "battery" | "battery_v" => object.readings.push((key, map.next_value()?)),
                "readings" => {
                    if let Some(found) = map.next_value_seed(Readings(&mut object))? {
                        object.wrong_with(|| format!("readings: found {found}, wanted an object"));
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Element::Object(object))
    }

    otherwise!(Element::Other; bool number text null array);
}

impl Object<'_> {
    fn wrong_with(&mut self, detail: impl FnOnce() -> String) {
        if self.wrong.is_none() {
            self.wrong = Some(detail());
        }
    }

    fn mistake(&mut self, key: &str, found: &Field<'_>, wanted: &str) {
        self.wrong_with(|| format!("{key}: found {}, wanted {wanted}", found.shown()));
    }
}

/// Reads `readings` into an object; says what was found where it is none.
struct Readings<'o, 'a>(&'o mut Object<'a>);

impl<'de> serde::de::DeserializeSeed<'de> for Readings<'_, 'de> {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Readings<'_, 'de> {
    type Value = Option<&'static str>;

    expecting!("an object of readings");

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            let value = map.next_value()?;
            if self.0.readings.len() < READINGS_MAX {
                self.0.readings.push((key, value));
            } else {
                let wanted = || format!("more than {READINGS_MAX} readings in one object");
                self.0.wrong_with(wanted);
            }
        }
        Ok(None)
    }

    otherwise!(Some; bool number text null array);
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    expecting!("a number, or an object of value and unit");

    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number as f64))
    }

    // Many a JSON writer turns NaN into null.
    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::NotFinite("null"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(match text.trim().parse::<f64>() {
            Ok(number) if !number.is_finite() => Value::NotFinite("a text for no finite number"),
            _ => Value::Wrong("a text"),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let (mut value, mut unit) = (None, None);
        while let Some(Text(key)) = map.next_key()? {
            match key.as_ref() {
                "value" => value = Some(map.next_value()?),
                "unit" => unit = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(match (value, unit) {
            (Some(Value::Number(number)), None) => Value::Number(number),
            (Some(Value::Number(number)), Some(Field::Text(unit))) => Value::WithUnit(number, unit),
            (Some(Value::Number(_)), Some(_)) => Value::Wrong("a unit that is no text"),
            (Some(Value::NotFinite(found)), _) => Value::NotFinite(found),
            (Some(_), _) => Value::Wrong("an object whose value is no number"),
            (None, _) => Value::Wrong("an object without a value"),
        })
    }

    otherwise!(Value::Wrong; bool array);
}

/// Reads a payload.
///
/// # Errors
///
/// Where it is not JSON.
pub(super) fn parse(payload: &[u8]) -> Result<Message<'_>, serde_json::Error> {
    let text = std::str::from_utf8(payload).map_err(serde_json::Error::custom)?;
    serde_json::from_str(text)
}
