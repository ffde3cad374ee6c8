//! Gathers the readings of one frame, or of one entry from earlier.

use jiff::Timestamp;
use plotwise_config::{
    catalogue::ConvertError,
    reading::{Flags, Reading},
};

use super::{
    super::{Decoded, frame::Frame, json::Json, quantities::units_of, reading::add, shown},
    compiled::{Field, List, Path},
    log::{Column, Entry},
    value::{self, Value},
};
use crate::intake::DeadLetterReason;

/// Arrays within arrays of a list.
const NESTED_MAX: u32 = 4;

/// What one moment came to.
pub(super) struct Gathered<'f> {
    frame: &'f Frame<'f>,
    pub(super) readings: Vec<Reading>,
    /// Whether anything stood where the profile looks.
    pub(super) is_found: bool,
    /// Whether there were elements of a list that are no telemetry.
    pub(super) is_passed_over: bool,
}

impl<'f> Gathered<'f> {
    pub(super) fn new(frame: &'f Frame<'f>) -> Self {
        Self { frame, readings: Vec::new(), is_found: false, is_passed_over: false }
    }

    /// Reads what stands at the fields' paths in `root`; `name` stands before every detail.
    pub(super) fn fields(
        &mut self,
        fields: &[Field<Path>],
        root: &Json<'_>,
        name: &str,
        decoded: &mut Decoded,
    ) {
        for field in fields {
            let found = field.from.iter().find_map(|path| path.find(root).map(|at| (path, at)));
            if let Some((path, value)) = found {
                self.value(field, value, root, (name, path.text()), decoded);
            }
            if let Some((path, error)) =
                field.errors.iter().find_map(|path| path.find(root).map(|at| (path, at)))
            {
                self.is_found = true;
                decoded.note(DeadLetterReason::ProbeFault, || {
                    let key = &field.quantity.key;
                    format!("{name}{}: {}, so no {key}", path.text(), error.shown())
                });
            }
        }
    }

    /// Reads the elements of a list.
    pub(super) fn list(&mut self, list: &List, root: &Json<'_>, decoded: &mut Decoded) {
        if let Some(Json::Array(elements)) = list.at.iter().find_map(|path| path.find(root)) {
            self.elements(list, elements, NESTED_MAX, decoded);
        }
    }

    fn elements(&mut self, list: &List, elements: &[Json<'_>], nested: u32, decoded: &mut Decoded) {
        for element in elements {
            if let (Json::Array(inner), true) = (element, nested > 0) {
                self.elements(list, inner, nested - 1, decoded);
                continue;
            }
            if list.ignored.iter().any(|rule| rule.holds(element, None, self.frame)) {
                self.is_passed_over = true;
                continue;
            }
            let Some(id) = list.id.find(element) else { continue };
            let Some(value) = list.value.find(element) else { continue };
            let field = list.fields.iter().find(|field| field.from.iter().any(|one| one.is(id)));
            if let Some(field) = field {
                self.value(field, value, element, ("", &id.shown()), decoded);
            }
        }
    }

    /// Reads one entry of a log; conditions look at the whole payload.
    pub(super) fn log(
        &mut self,
        fields: &[Field<Column>],
        entry: &Entry<'_>,
        root: &Json<'_>,
        name: &str,
        decoded: &mut Decoded,
    ) {
        for field in fields {
            if let Some(text) = field.from.iter().find_map(|column| entry.find(column)) {
                let value = Json::Text(text.into());
                self.value(field, &value, root, (name, &field.quantity.key), decoded);
            }
        }
    }

    /// Adds a reading that the frame's network made, unless the payload has one like it.
    pub(super) fn beside(&mut self, reading: Reading) {
        if self.readings.iter().all(|known| known.quantity != reading.quantity) {
            self.readings.push(reading);
        }
    }

    /// The readings of a moment: the device's own depth is left out, every one gets `flags`.
    pub(super) fn finish(self, measured: Timestamp, flags: Flags) -> Vec<Reading> {
        let own_depth = self.frame.entry.own_depth_at(measured);
        let mut readings = self.readings;
        for reading in &mut readings {
            if reading.depth == own_depth {
                reading.depth = None;
            }
            reading.flags = reading.flags.with(flags);
        }
        readings
    }

    fn value<P>(
        &mut self,
        field: &Field<P>,
        found: &Json<'_>,
        root: &Json<'_>,
        (name, at): (&str, &str),
        decoded: &mut Decoded,
    ) {
        self.is_found = true;
        let holds = |conditions: &[super::condition::Condition]| {
            conditions.iter().any(|one| one.holds(root, Some(found), self.frame))
        };
        if holds(&field.absent) {
            return;
        }
        let flags = if holds(&field.faults) { Flags::FAULT_CODE } else { Flags::NONE };
        match field.read(found, root) {
            Ok(value) => {
                // -0.0 and 0.0 are one value: two bit patterns would make a conflict of a repetition.
                let value = value + 0.0;
                let reading = Reading { quantity: field.number, depth: field.depth, value, flags };
                add(&mut self.readings, reading, &field.quantity.key, decoded);
            }
            Err((reason, detail)) => {
                decoded.note(reason, || format!("{name}{at}: {}", detail(found)));
            }
        }
    }
}

type Detail<'d> = Box<dyn FnOnce(&Json<'_>) -> String + 'd>;

impl<P> Field<P> {
    /// The value in the canonical unit.
    fn read<'d>(
        &'d self,
        found: &'d Json<'_>,
        root: &'d Json<'_>,
    ) -> Result<f64, (DeadLetterReason, Detail<'d>)> {
        let (number, written) = match value::of(found) {
            Value::Number(number, written) => (number, written),
            Value::NotFinite => return Err(not_finite()),
            Value::Wrong => {
                let detail = |found: &Json<'_>| format!("found {}, wanted a number", found.shown());
                return Err((DeadLetterReason::WrongShape, Box::new(detail)));
            }
        };
        let beside = || match self.unit_from.as_ref().and_then(|path| path.find(root)) {
            Some(Json::Text(unit)) => Some(unit.as_ref()),
            _ => None,
        };
        let Some(unit) = written.or_else(beside) else {
            let conversion = self.conversion.as_ref();
            let value = conversion.map_or(number, |conversion| conversion.to_canonical(number));
            return if value.is_finite() { Ok(value) } else { Err(not_finite()) };
        };
        self.quantity.convert(number, unit).map_err(|error| {
            if matches!(error, ConvertError::NotFinite { .. }) {
                return not_finite();
            }
            let detail = move |_: &Json<'_>| {
                let wanted = units_of(&self.quantity);
                format!("unit {:?}, wanted one of {wanted}", shown(unit))
            };
            (DeadLetterReason::UnknownUnit, Box::new(detail) as Detail<'d>)
        })
    }
}

fn not_finite<'d>() -> (DeadLetterReason, Detail<'d>) {
    let detail = |found: &Json<'_>| format!("found {}, wanted a finite number", found.shown());
    (DeadLetterReason::NotFinite, Box::new(detail))
}
