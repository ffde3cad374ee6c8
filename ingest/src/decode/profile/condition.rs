//! What may hold of a frame or of a value in it: fault codes, raw mode, frames that are no telemetry.

use plotwise_config::catalogue::profile::{self, Scalar};

use super::{
    super::{frame::Frame, json::Json},
    compiled::Path,
    value,
};

/// A compiled condition; all that it names must hold.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    at: Option<Path>,
    is: Vec<Scalar>,
    /// Of the text there, this character alone.
    character: Option<usize>,
    port: Vec<u8>,
    /// Which byte, which bits.
    byte: Option<(usize, u8)>,
    with: Option<Box<Condition>>,
}

/// A condition on a whole frame, and what it means.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    condition: Condition,
    why: String,
}

impl Condition {
    /// `probe` is that of the field, counted from 0.
    pub(super) fn compile(condition: &profile::Condition, probe: Option<usize>) -> Self {
        let with = condition.with.as_deref().map(|with| Box::new(Self::compile(with, probe)));
        Self {
            at: condition.at.as_ref().map(|path| Path::compile(path, probe)),
            is: condition.is.clone(),
            character: probe.filter(|_| condition.character_of_probe),
            port: condition.port.clone(),
            byte: condition.byte.zip(condition.mask).map(|(byte, mask)| (byte.into(), mask)),
            with,
        }
    }

    /// Whether it holds of `value`, which stands in `root`.
    pub(super) fn holds(
        &self,
        root: &Json<'_>,
        value: Option<&Json<'_>>,
        frame: &Frame<'_>,
    ) -> bool {
        let is_port = || {
            let port = frame.network.port;
            self.port.is_empty() || self.port.iter().any(|one| port == Some(u64::from(*one)))
        };
        let is_byte = || {
            self.byte.is_none_or(|(place, mask)| {
                frame.network.byte(place).is_some_and(|byte| byte & mask != 0)
            })
        };
        let is_there = || match &self.at {
            Some(path) => path.find(root).is_some_and(|found| self.is_one(found)),
            None => self.is.is_empty() || value.is_some_and(|value| self.is_one(value)),
        };
        let holds_with = || self.with.as_ref().is_none_or(|with| with.holds(root, value, frame));
        is_port() && is_there() && is_byte() && holds_with()
    }

    /// Where it looks.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let mut next = Some(self);
        let all = std::iter::from_fn(move || {
            let this = next?;
            next = this.with.as_deref();
            Some(this)
        });
        all.filter_map(|condition| condition.at.as_ref())
    }

    fn is_one(&self, found: &Json<'_>) -> bool {
        self.is.is_empty() || self.is.iter().any(|wanted| self.is_same(found, wanted))
    }

    // Exactly: a fault code is one value and no neighbourhood.
    fn is_same(&self, found: &Json<'_>, wanted: &Scalar) -> bool {
        match (wanted, found, self.character) {
            (Scalar::Text(wanted), Json::Text(found), Some(place)) => {
                let mut character = [0; 4];
                let found = found.trim().chars().nth(place);
                found.is_some_and(|found| found.encode_utf8(&mut character) == wanted.as_str())
            }
            (Scalar::Text(wanted), Json::Text(found), None) => wanted == found.trim(),
            (Scalar::Flag(wanted), Json::Flag(found), None) => wanted == found,
            (Scalar::Number(wanted), found, None) => value::number(found) == Some(*wanted),
            _ => false,
        }
    }
}

impl Rule {
    pub(super) fn compile(condition: &profile::Condition) -> Self {
        let why = condition.why.clone().unwrap_or_default();
        Self { condition: Condition::compile(condition, None), why }
    }

    /// Where it looks.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.condition.paths()
    }

    /// Its meaning, where it holds of a frame.
    pub(super) fn says(&self, root: &Json<'_>, frame: &Frame<'_>) -> Option<&str> {
        self.condition.holds(root, None, frame).then_some(self.why.as_str())
    }
}
