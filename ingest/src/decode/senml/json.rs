//! Records out of JSON (RFC 8428, section 5).

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess,
    Visitor,
};

use super::{
    Sink,
    record::{Element, Label, Record},
};
use crate::decode::field::{Text, expecting, otherwise};

/// Hands each element of a pack to `sink`; says what was found where it is no array.
///
/// # Errors
///
/// Where it is not JSON; `sink` has been given what came before.
pub(super) fn read(
    payload: &[u8],
    sink: Sink<'_>,
) -> Result<Option<&'static str>, serde_json::Error> {
    let text = std::str::from_utf8(payload).map_err(serde_json::Error::custom)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = PackReader(sink).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

struct PackReader<'s>(Sink<'s>);

impl<'de> DeserializeSeed<'de> for PackReader<'_> {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PackReader<'_> {
    type Value = Option<&'static str>;

    expecting!("an array of records");

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while let Some(element) = seq.next_element()? {
            (self.0)(element);
        }
        Ok(None)
    }

    otherwise!(Some; bool number text null object);
}

impl<'de> Deserialize<'de> for Element<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element<'de>;

    expecting!("a record");

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element<'de>, A::Error> {
        let mut record = Record::default();
        while let Some(Text(key)) = map.next_key()? {
            if let Some(label) = Label::of_text(&key) {
                record.take(label, map.next_value()?);
            } else {
                record.take_unknown(&key);
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Element::Record(Box::new(record)))
    }

    otherwise!(Element::Other; bool number text null array);
}
