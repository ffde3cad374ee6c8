//! One record as it is written, the same whether it came as JSON or as CBOR.

use std::borrow::Cow;

use crate::decode::{field::Field, shown};

/// What stands in the array of a pack.
pub(super) enum Element<'a> {
    Record(Box<Record<'a>>),
    Other(&'static str),
}

/// The fields that RFC 8428 names (table 1; numbers of table 4), in the order of these tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    BaseName,
    BaseTime,
    BaseUnit,
    BaseValue,
    BaseSum,
    BaseVersion,
    Name,
    Unit,
    Value,
    StringValue,
    BooleanValue,
    DataValue,
    Sum,
    Time,
    UpdateTime,
}

impl Label {
    const ALL: [(Self, &'static str, i64); 15] = [
        (Self::BaseName, "bn", -2),
        (Self::BaseTime, "bt", -3),
        (Self::BaseUnit, "bu", -4),
        (Self::BaseValue, "bv", -5),
        (Self::BaseSum, "bs", -6),
        (Self::BaseVersion, "bver", -1),
        (Self::Name, "n", 0),
        (Self::Unit, "u", 1),
        (Self::Value, "v", 2),
        (Self::StringValue, "vs", 3),
        (Self::BooleanValue, "vb", 4),
        (Self::DataValue, "vd", 8),
        (Self::Sum, "s", 5),
        (Self::Time, "t", 6),
        (Self::UpdateTime, "ut", 7),
    ];

    /// The label with this text.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known, _)| *known == text).map(|(label, ..)| label)
    }

    /// The label with this number in CBOR.
    pub(super) fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|(.., known)| *known == number).map(|(label, ..)| label)
    }

    /// Its text.
    pub(super) const fn text(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Its number in CBOR.
    pub(super) const fn number(self) -> i64 {
        Self::ALL[self as usize].2
    }

    /// Whether the records that follow lean on it.
    const fn is_base(self) -> bool {
        (self as usize) < Self::Name as usize
    }
}

/// The value of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// Finite.
    Number(f64),
    /// What was found in the place of a finite number.
    NotFinite(&'static str),
    /// A text, truth value or data under this label.
    Other(&'static str),
}

/// One record, before anything is resolved.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) base_name: Option<Cow<'a, str>>,
    pub(super) base_time_s: Option<f64>,
    pub(super) base_unit: Option<Cow<'a, str>>,
    pub(super) base_value: Option<f64>,
    pub(super) base_version: Option<u64>,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) unit: Option<Cow<'a, str>>,
    pub(super) value: Option<Value>,
    pub(super) has_sum: bool,
    pub(super) time_s: Option<f64>,
    /// Labels that were there, a bit each.
    seen: u16,
    /// The first thing in it that makes this record unreadable.
    pub(super) wrong: Option<String>,
    /// The first thing in it that makes the whole pack unreadable.
    pub(super) broken: Option<String>,
}

impl<'a> Record<'a> {
    /// Takes in a field that RFC 8428 names.
    pub(super) fn take(&mut self, label: Label, field: Field<'a>) {
        let bit = 1 << label as u16;
        if self.seen & bit != 0 {
            return self.mistake(label, || format!("{} a second time", label.text()));
        }
        self.seen |= bit;
        match label {
            Label::BaseName => self.base_name = self.text(label, field),
            Label::BaseUnit => self.base_unit = self.text(label, field),
            Label::Name => self.name = self.text(label, field),
            Label::Unit => self.unit = self.text(label, field),
            Label::BaseTime => self.base_time_s = self.number(label, &field),
            Label::BaseValue => self.base_value = self.number(label, &field),
            Label::Time => self.time_s = self.number(label, &field),
            Label::Sum => self.has_sum = self.number(label, &field).is_some(),
            Label::BaseSum | Label::UpdateTime => {
                self.number(label, &field);
            }
            Label::BaseVersion => self.base_version = self.version(&field),
            Label::Value => {
                let value = match field {
                    Field::Whole(whole) => Value::Number(whole as f64),
                    Field::Number(number) if number.is_finite() => Value::Number(number),
                    Field::Number(_) => Value::NotFinite("no finite number"),
                    Field::Absent => Value::NotFinite("null"),
                    other => {
                        return self.mistake(label, || {
                            format!("v: found {}, wanted a number", other.shown())
                        });
                    }
                };
                self.value(value);
            }
            Label::StringValue | Label::BooleanValue | Label::DataValue => {
                self.value(Value::Other(label.text()));
            }
        }
    }

    /// Takes in a field that RFC 8428 does not name: one that must be understood ends in `_` (4.4).
    pub(super) fn take_unknown(&mut self, label: &str) {
        if label.ends_with('_') && self.broken.is_none() {
            self.broken = Some(format!("{:?} must be understood and is not", shown(label)));
        }
    }

    /// Whether it has nothing but base fields: it is there for the records that follow.
    pub(super) fn is_base_alone(&self) -> bool {
        self.seen != 0 && self.seen >> Label::Name as u16 == 0
    }

    fn value(&mut self, value: Value) {
        if self.value.replace(value).is_some() {
            self.mistake(Label::Value, || "more than one value".to_owned());
        }
    }

    fn text(&mut self, label: Label, field: Field<'a>) -> Option<Cow<'a, str>> {
        match field {
            Field::Text(text) => Some(text),
            other => {
                let found = || format!("{}: found {}, wanted a text", label.text(), other.shown());
                self.mistake(label, found);
                None
            }
        }
    }

    fn number(&mut self, label: Label, field: &Field<'_>) -> Option<f64> {
        match field {
            Field::Whole(whole) => Some(*whole as f64),
            Field::Number(number) if number.is_finite() => Some(*number),
            other => {
                let found =
                    || format!("{}: found {}, wanted a finite number", label.text(), other.shown());
                self.mistake(label, found);
                None
            }
        }
    }

    fn version(&mut self, field: &Field<'_>) -> Option<u64> {
        match field {
            Field::Whole(whole @ 1..) => Some(whole.unsigned_abs()),
            other => {
                let found =
                    || format!("bver: found {}, wanted a whole number from 1", other.shown());
                self.mistake(Label::BaseVersion, found);
                None
            }
        }
    }

    fn mistake(&mut self, label: Label, detail: impl FnOnce() -> String) {
        let place = if label.is_base() { &mut self.broken } else { &mut self.wrong };
        if place.is_none() {
            *place = Some(detail());
        }
    }
}
